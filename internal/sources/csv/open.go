package csv

import (
	"bufio"
	"bytes"
	"errors"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"rapport/internal/fault"
)

// sampleBytes is how much of the beginning is looked at to find out how a file is
// written.
const sampleBytes = 256 << 10

// maxWindow bounds the memory that a zstd file may ask for; `zstd -19` uses 8 MB.
const maxWindow = 128 << 20

// open unpacks what is packed and refuses what is no text, with a word on what to
// do instead. The reader it returns holds at least the sample.
func open(r io.Reader) (*bufio.Reader, []byte, error) {
	packed := bufio.NewReaderSize(r, 64<<10)
	magic, err := packed.Peek(4)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, nil, fault.Wrap(fault.Unavailable, err, "the file cannot be read")
	}
	var plain io.Reader = packed
	switch {
	case bytes.HasPrefix(magic, []byte{0x1f, 0x8b}):
		z, err := gzip.NewReader(packed)
		if err != nil {
			return nil, nil, fault.Wrap(fault.Invalid, err, "the file begins like gzip and is not")
		}
		plain = z
	case bytes.HasPrefix(magic, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		z, err := zstd.NewReader(packed, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return nil, nil, fault.Wrap(fault.Invalid, err, "the file begins like zstd and is not")
		}
		plain = z.IOReadCloser()
	case bytes.HasPrefix(magic, []byte("PK\x03\x04")):
		return nil, nil, fault.New(fault.Invalid, "the file is a zip archive or an Excel workbook: unpack it, or save the sheet as “CSV UTF-8”")
	}
	text := bufio.NewReaderSize(plain, sampleBytes)
	sample, err := text.Peek(sampleBytes)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, nil, fault.Wrap(fault.Invalid, err, "the file cannot be unpacked; it may be cut off or damaged")
	}
	switch {
	case len(sample) == 0:
		return nil, nil, fault.New(fault.Invalid, "the file is empty")
	case wide(sample):
		return nil, nil, fault.New(fault.Invalid, "the file is written in UTF-16: save it as UTF-8 (in Excel: “CSV UTF-8”), or convert it with iconv -f UTF-16 -t UTF-8")
	case bytes.HasPrefix(sample, []byte("\ufeff")):
		if _, err := text.Discard(3); err != nil {
			return nil, nil, err // unreachable: the three bytes have been seen
		}
		sample = sample[3:]
	}
	if bytes.IndexByte(sample, '\n') < 0 && bytes.IndexByte(sample, '\r') >= 0 {
		return nil, nil, fault.New(fault.Invalid, "the lines end in a carriage return alone: save the file with line ends of Windows or Unix")
	}
	return text, sample, nil
}

// wide reports whether a text is UTF-16: by its mark, or because every other byte
// of its beginning is zero.
func wide(b []byte) bool {
	if bytes.HasPrefix(b, []byte{0xff, 0xfe}) || bytes.HasPrefix(b, []byte{0xfe, 0xff}) {
		return true
	}
	if len(b) < 4 {
		return false
	}
	return b[0] != 0 && b[1] == 0 && b[2] != 0 && b[3] == 0 || b[0] == 0 && b[1] != 0 && b[2] == 0 && b[3] != 0
}

// delimiters are what separates columns, in the order in which they win a draw.
var delimiters = []byte{',', ';', '\t', '|'}

// guessDelimiter returns the delimiter that the header uses most, outside of
// quotation marks.
func guessDelimiter(sample []byte) byte {
	counts := map[byte]int{}
	inside := false
header:
	for _, c := range sample {
		switch {
		case c == '"':
			inside = !inside
		case inside:
		case c == '\n':
			break header
		default:
			counts[c]++
		}
	}
	best := delimiters[0]
	for _, d := range delimiters {
		if counts[d] > counts[best] {
			best = d
		}
	}
	return best
}

// Encoding is how the letters of a file are written.
type Encoding string

// The encodings that are read. What begins with the mark of UTF-16 is refused with
// a word on how to convert it.
const (
	UTF8        Encoding = "utf-8"
	Windows1252 Encoding = "windows-1252" // what Excel writes in Western Europe as plain “CSV”
)

// high are the characters of the bytes 0x80 to 0x9f in windows-1252; the five that
// stand for nothing are zero. From 0xa0 on it agrees with Unicode.
var high = [32]rune{
	'€', 0, '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', 0, 'Ž', 0,
	0, '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', 0, 'ž', 'Ÿ',
}

// fromWindows returns a text of windows-1252 as UTF-8, and false if a byte of it
// stands for nothing.
func fromWindows(b []byte) ([]byte, bool) {
	out := make([]byte, 0, len(b)+16)
	for _, c := range b {
		r := rune(c)
		if c >= 0x80 && c < 0xa0 {
			if r = high[c-0x80]; r == 0 {
				return nil, false
			}
		}
		out = append(out, string(r)...)
	}
	return out, true
}
