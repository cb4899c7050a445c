package table_test

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"

	"rapport/internal/fault"
	"rapport/internal/sources/table"
)

// watched is a file that counts what is read of it.
type watched struct {
	*bytes.Reader
	n int64
}

func (w *watched) ReadAt(p []byte, off int64) (int, error) {
	n, err := w.Reader.ReadAt(p, off)
	w.n += int64(n)
	return n, err
}

// archive is a zip file with so many entries of nothing, which says that it has others.
func archive(entries int, says uint64, zip64 bool, before int) []byte {
	var b bytes.Buffer
	put := func(values ...any) {
		for _, v := range values {
			_ = binary.Write(&b, binary.LittleEndian, v) // a buffer takes everything
		}
	}
	put(uint32(0x04034b50), make([]byte, 26+before))
	start := b.Len()
	for range entries {
		put(uint32(0x02014b50), make([]byte, 24), uint16(1), make([]byte, 16), []byte("a"))
	}
	end, short := b.Len(), uint16(says)
	if zip64 {
		put(uint32(0x06064b50), uint64(44), uint16(45), uint16(45), uint32(0), uint32(0), says, says, uint64(end-start), uint64(start))
		put(uint32(0x07064b50), uint32(0), uint64(end), uint32(1))
		short = 0xffff
	}
	put(uint32(0x06054b50), uint16(0), uint16(0), short, short, uint32(end-start), uint32(start), uint16(0))
	return b.Bytes()
}

// Whoever uploads an archive with millions of entries must not make us read, and keep,
// its directory: there is one file in what can be imported.
func TestTheDirectoryOfAnArchiveIsNotReadBeyondWhatAnExportHas(t *testing.T) {
	t.Parallel()
	const many = 200_000 // nine megabytes of directory
	for name, body := range map[string][]byte{
		"many, and it says so":                   archive(many, many, true, 0),
		"many, and it says so in sixteen bits":   archive(60_000, 60_000, false, 0),
		"many, and it says one":                  archive(many, 1, false, 0),
		"few, and it says that there are many":   archive(1, 120_000, true, 8<<20),
		"few, and it says that there are no end": archive(1, 1<<63, true, 0),
	} {
		w := &watched{Reader: bytes.NewReader(body)}
		_, err := table.Open(w)
		if !fault.Is(err, fault.Invalid) && !fault.Is(err, fault.TooLarge) || !strings.Contains(err.Error(), "unpack it") {
			t.Errorf("%s: %v", name, err)
		}
		if w.n > 1<<20 {
			t.Errorf("%s: %d bytes of the directory were read", name, w.n)
		}
	}
}
