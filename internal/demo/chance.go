package demo

import (
	"crypto/sha256"
	"encoding/binary"
)

// draw returns a number in [0, 1) that depends on nothing but its arguments: the
// demo's only source of chance.
func draw(seed uint64, customer, what string) float64 {
	const exact = 1 << 53 // every multiple of 1/2^53 below 1 is a float
	return float64(hash(seed, customer, what)>>11) / exact
}

// pick returns one of the list by chance.
func pick(list []string, seed uint64, customer, what string) string {
	return list[hash(seed, customer, what)%uint64(len(list))] // the bias of 2^64 over a short list does not show
}

func hash(seed uint64, customer, what string) uint64 {
	b := make([]byte, 0, 96)
	b = binary.BigEndian.AppendUint64(b, seed)
	b = append(b, customer...)
	b = append(b, 0) // "1"+"2a" must not be "12"+"a"
	b = append(b, what...)
	sum := sha256.Sum256(b)
	return binary.BigEndian.Uint64(sum[:8])
}
