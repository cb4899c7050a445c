package code

import (
	"strings"

	"rsc.io/qr/coding"

	"rapport/internal/fault"
)

var levels = map[string]coding.Level{"": coding.M, "L": coding.L, "M": coding.M, "Q": coding.Q, "H": coding.H}

// finest is the least width of a module on the screen, in CSS pixels: a camera
// blurs a single one.
const finest = 2

// utf8 is the designator of UTF-8 (ISO/IEC 18004, section 7.4.2), which goes ahead
// of letters that ASCII lacks: without it each reader guesses.
type utf8 struct{ coding.String }

const (
	eciMode, eciModeBits = 7, 4
	eciUTF8, eciBits     = 26, 8
)

// Bits is part of coding.Encoding.
func (u utf8) Bits(v coding.Version) int { return eciModeBits + eciBits + u.String.Bits(v) }

// Encode is part of coding.Encoding.
func (u utf8) Encode(b *coding.Bits, v coding.Version) {
	b.Write(eciMode, eciModeBits)
	b.Write(eciUTF8, eciBits)
	u.String.Encode(b, v)
}

// plan returns the level, the words and the version of the smallest QR code that
// says the text.
func plan(text, level string) (l coding.Level, words coding.Encoding, version coding.Version, err error) {
	l, ok := levels[strings.ToUpper(level)]
	if !ok {
		return l, nil, 0, fault.New(fault.Invalid, "the level of a QR code is L, M, Q or H")
	}
	words = coding.String(text)
	switch {
	case coding.Num(text).Check() == nil:
		words = coding.Num(text)
	case coding.Alpha(text).Check() == nil:
		words = coding.Alpha(text)
	case strings.ContainsFunc(text, func(r rune) bool { return r > '~' }):
		words = utf8{coding.String(text)}
	}
	for version = coding.MinVersion; words.Bits(version) > version.DataBytes(l)*8; version++ {
		if modules := 17 + 4*(int(version)+1) + 2*quietQR; modules*finest > QRWidth {
			return l, nil, 0, fault.New(fault.Invalid, "the QR code would be too fine for a telephone: use a shorter text, or a lower level")
		}
	}
	return l, words, version, nil
}

// qrCode returns the modules of that code, with the mask that a reader tells apart
// most easily (ISO/IEC 18004, section 7.8.3).
func qrCode(text, level string) ([][]bool, error) {
	l, words, version, err := plan(text, level)
	if err != nil {
		return nil, err
	}
	var best [][]bool
	least := -1
	for mask := range coding.Mask(8) {
		plan, err := coding.NewPlan(version, l, mask)
		if err != nil {
			return nil, fault.Wrap(fault.Invalid, err, "the QR code cannot be drawn")
		}
		c, err := plan.Encode(words)
		if err != nil {
			return nil, fault.Wrap(fault.Invalid, err, "the QR code cannot be drawn")
		}
		m := make([][]bool, c.Size)
		for y := range m {
			m[y] = make([]bool, c.Size)
			for x := range m[y] {
				m[y][x] = c.Black(x, y)
			}
		}
		if p := penalty(m); least < 0 || p < least {
			best, least = m, p
		}
	}
	return best, nil
}

// penalty counts what makes a code hard to read, by the standard's four rules:
// long runs, blocks, what looks like a corner, and too much of one colour.
func penalty(m [][]bool) (n int) {
	size, black := len(m), 0
	at := func(x, y int, turned bool) bool {
		if turned {
			return m[x][y]
		}
		return m[y][x]
	}
	for _, turned := range [...]bool{false, true} {
		for y := range size {
			run := 0
			window := 0
			for x := range size {
				dark := at(x, y, turned)
				if x > 0 && dark == at(x-1, y, turned) {
					run++
				} else {
					run = 1
				}
				switch {
				case run == 5:
					n += 3
				case run > 5:
					n++
				}
				window = window<<1&0x7ff | bit(dark)
				if x >= 10 && (window == 0b10111010000 || window == 0b00001011101) {
					n += 40
				}
				if !turned {
					black += bit(dark)
					if x > 0 && y > 0 && dark == m[y][x-1] && dark == m[y-1][x] && dark == m[y-1][x-1] {
						n += 3
					}
				}
			}
		}
	}
	share := black * 100 / (size * size)
	return n + max(share-50, 50-share)/5*10
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}
