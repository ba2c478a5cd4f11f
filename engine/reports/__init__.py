"""The engine's own reports, computed from CDRs, the journal, tickets and ratings: ``insideline report calls`` …"""
