package engine

// slabs is memory that grows and is never moved. A slice that is appended to is copied
// whole whenever it is full: megabytes take tens of milliseconds, most of them for memory
// that the system has to find, and whoever holds the lane's lock holds up everybody.
type slabs struct {
	all [][]byte // each as far as it is in use
	at  int      // the one that is used up next
}

// slabSize is in bytes. What is longer has a slab of its own.
const slabSize = 128 << 10

// begin returns room behind what is in use, for so many bytes at least, to be appended to.
func (s *slabs) begin(least int) []byte {
	for ; s.at < len(s.all); s.at++ {
		if a := s.all[s.at]; cap(a)-len(a) >= least {
			return a[len(a):]
		}
	}
	s.all = append(s.all, make([]byte, 0, max(least, slabSize)))
	return s.all[s.at]
}

// end keeps what was appended to the room, and returns it. If there was more than room
// for, it lies elsewhere by now.
func (s *slabs) end(b []byte) []byte {
	if a := s.all[s.at]; cap(b) == cap(a)-len(a) {
		s.all[s.at] = a[:len(a)+len(b)]
	}
	return b[:len(b):len(b)]
}

// clear makes all of it free.
func (s *slabs) clear() {
	for i := range s.all {
		s.all[i] = s.all[i][:0]
	}
	s.at = 0
}
