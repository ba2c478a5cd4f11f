"""What agents.yaml and queues.yaml say of things that stand in other files: trunks, groups, prompts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from engine.acd.config import AcdConfig
from engine.schema.faults import Fault, did_you_mean
from engine.schema.fields import is_prompt_key


def agent_faults(
    acd: AcdConfig,
    *,
    trunks: Iterable[str] | None,
    groups: Iterable[str],
    prompts: Mapping[str, Iterable[str]],
) -> list[Fault]:
    """What can't be found. ``trunks`` is None when they could not be read; ``prompts``: the keys, by language."""
    faults = []
    file = acd.agents_file
    if file is not None:
        lines, told = None if trunks is None else list(trunks), list(groups)
        for name, agent in file.agents.items():
            if agent.away is not None and lines is not None and agent.away.trunk not in lines:
                message = f"there is no trunk `{agent.away.trunk}` in conf/trunks.yaml"
                hint = did_you_mean(agent.away.trunk, lines)
                faults.append(file.fault(("agents", name, "phone", "trunk"), "unknown-trunk", message, hint))
        if file.rules.tell is not None and file.rules.tell not in told:
            message = f"there is no group `{file.rules.tell}` in conf/notify.yaml"
            hint = did_you_mean(file.rules.tell, told)
            faults.append(file.fault(("rules", "tell"), "unknown-group", message, hint))
    if acd.file is not None:
        for name, queue in acd.file.queues.items():
            for field in ("whisper", "announce_agent"):
                key = getattr(queue, field)
                if key is None or not is_prompt_key(key):
                    continue
                without = [language for language, keys in prompts.items() if key not in keys]
                if without:
                    message = f"there is no prompt `{key}` in {', '.join(without)}"
                    known = [one for keys in prompts.values() for one in keys]
                    hint = did_you_mean(key, known)
                    faults.append(acd.file.fault(("queues", name, field), "unknown-prompt", message, hint))
    return faults


__all__ = ["agent_faults"]
