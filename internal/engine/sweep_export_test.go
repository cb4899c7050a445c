package engine

// SmallRanges makes sweeps look at few customers at a time and nobody wait for them, before the engine starts.
func (e *Engine) SmallRanges() {
	for _, l := range e.lanes {
		l.sweeping.few, l.sweeping.many, l.sweeping.moment = 1, 1, 0
	}
}

// Ranges returns how many customers each range has of a sweep whose ranges are to have so
// many, where living says how many of some rows are customers.
func Ranges(size, end int64, living func(first, last int64) int) (customers []int) {
	s := &sweeping{many: size, part: size, next: 1, end: end}
	for s.next <= s.end {
		r := &swept{turns: &turns{}, lo: s.next, hi: min(s.next+s.part-1, s.end)}
		n := living(r.lo, r.hi)
		customers, s.next = append(customers, n), r.hi+1
		s.widen(r, n)
	}
	return customers
}
