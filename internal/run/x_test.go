package run_test

import "rapport/internal/core/condition"

func segKey(n string) uint64 { return condition.SegmentKey(n) }
