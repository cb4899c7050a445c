package wire_test

import (
	"testing"

	"rapport/internal/core/wire"
)

// BenchmarkRead reads what a row is mostly made of: short numbers, short texts, hashes.
func BenchmarkRead(b *testing.B) {
	var row []byte
	for i := range 100 {
		row = wire.Fixed(wire.Text(wire.Varint(wire.Uvarint(row, uint64(i)), int64(-i*1000)), "SKU-0001"), uint64(i))
	}
	s := string(row)
	var sum uint64
	r := wire.NewReader(s)
	b.ReportAllocs()
	for b.Loop() {
		*r = *wire.NewReader(s)
		for !r.Done() {
			sum += r.Uvarint() + uint64(r.Varint()) + uint64(len(r.Text())) + r.Fixed()
		}
	}
	if sum == 0 {
		b.Fatal("nothing was read")
	}
}
