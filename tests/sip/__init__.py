"""A small SIP telephone for tests (``phone``), and SIPp for load (``sipp``)."""
