package recommend

// table is a small map from numbers to sums that is emptied without being made
// anew: a list of recommendations needs a few thousand entries, a thousand times a
// second. It probes linearly and is at most half full.
type table struct {
	slots []slot
	used  []uint32 // places in slots that are taken, in order of arrival
	shift uint
}

type slot struct {
	key   uint32
	taken bool
	sum   float64
}

const firstSlots = 1 << 10

// hashMix spreads neighbouring numbers (2^32 divided by the golden ratio).
const hashMix = 2654435769

func (t *table) clear() {
	if t.slots == nil {
		t.size(firstSlots)
	}
	for _, i := range t.used {
		t.slots[i].taken = false
	}
	t.used = t.used[:0]
}

func (t *table) size(n int) {
	t.slots = make([]slot, n)
	t.shift = 32
	for ; n > 1; n >>= 1 {
		t.shift--
	}
}

// add adds to the sum of a key, which begins at zero.
func (t *table) add(key uint32, x float64) {
	if 2*len(t.used) >= len(t.slots) {
		t.grow()
	}
	mask := uint32(len(t.slots) - 1)
	for i := (key * hashMix) >> t.shift; ; i = (i + 1) & mask {
		s := &t.slots[i]
		if !s.taken {
			*s = slot{key, true, x}
			t.used = append(t.used, i)
			return
		}
		if s.key == key {
			s.sum += x
			return
		}
	}
}

func (t *table) grow() {
	old, used := t.slots, t.used
	t.size(2 * len(old))
	t.used = make([]uint32, 0, len(old))
	for _, i := range used {
		t.add(old[i].key, old[i].sum)
	}
}

// hits appends every key with its sum.
func (t *table) hits(dst []hit) []hit {
	for _, i := range t.used {
		dst = append(dst, hit{t.slots[i].key, t.slots[i].sum})
	}
	return dst
}

// hit is a number with its score.
type hit struct {
	n     uint32
	score float64
}

// best moves the n hits that come first to the front, in no order, and returns
// them. Before is a strict total order, so that which they are does not depend on
// how they lay.
func best(hits []hit, n int, before func(a, b *hit) bool) []hit {
	if n <= 0 {
		return hits[:0]
	}
	if len(hits) <= n {
		return hits
	}
	lo, hi := 0, len(hits)-1
	for lo < hi {
		// The middle of three keeps sorted runs, which are the rule here, from being slow.
		mid := int(uint(lo+hi) >> 1)
		if before(&hits[mid], &hits[lo]) {
			hits[mid], hits[lo] = hits[lo], hits[mid]
		}
		if before(&hits[hi], &hits[lo]) {
			hits[hi], hits[lo] = hits[lo], hits[hi]
		}
		if before(&hits[hi], &hits[mid]) {
			hits[hi], hits[mid] = hits[mid], hits[hi]
		}
		pivot := hits[mid]
		i, j := lo, hi
		for i <= j {
			for before(&hits[i], &pivot) {
				i++
			}
			for before(&pivot, &hits[j]) {
				j--
			}
			if i <= j {
				hits[i], hits[j] = hits[j], hits[i]
				i++
				j--
			}
		}
		switch {
		case n-1 <= j:
			hi = j
		case n-1 >= i:
			lo = i
		default:
			return hits[:n]
		}
	}
	return hits[:n]
}
