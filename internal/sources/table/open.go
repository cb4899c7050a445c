package table

import (
	"archive/zip"
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"rapport/internal/fault"
)

// sampleBytes is how much of the beginning is looked at to find out how a file is
// written.
const sampleBytes = 256 << 10

// The limits of what a packed file may become. Exports pack to a tenth, seldom to
// a fiftieth; what is far beyond was made to fill a disk.
const (
	// maxWindow bounds the memory that a zstd file may ask for; `zstd -19` uses 8 MB.
	maxWindow = 128 << 20
	// maxRatio is how much longer than its packed bytes a file may be, once it is
	// longer than fairBytes.
	maxRatio  = 200
	fairBytes = 64 << 20
	// maxUnpacked bounds the whole: some hundred million lines.
	maxUnpacked = 64 << 30
)

// Opened is a file whose text can be read.
type Opened struct {
	Text   *bufio.Reader // holds at least the sample
	Sample []byte        // the beginning, without a mark of UTF-8
	// Encoding is how its letters are written as far as the sample tells.
	Encoding Encoding
	// Whole says that the sample is all of it.
	Whole bool
}

// Open unpacks what is packed, turns UTF-16 into UTF-8 and refuses what is no text,
// with a word on what to do instead. A zip archive can be read if it has one file
// in it and r can be read at any place, as a file on disk can.
func Open(r io.Reader) (*Opened, error) {
	count := &counter{r: r}
	packed := bufio.NewReaderSize(count, 64<<10)
	magic, err := packed.Peek(4)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fault.Wrap(fault.Unavailable, err, "the file cannot be read")
	}
	var plain io.Reader = packed
	switch {
	case bytes.HasPrefix(magic, []byte{0x1f, 0x8b}):
		z, err := gzip.NewReader(packed)
		if err != nil {
			return nil, fault.Wrap(fault.Invalid, err, "the file begins like gzip and is not")
		}
		plain = &bounded{r: z, packed: count.read}
	case bytes.HasPrefix(magic, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		z, err := zstd.NewReader(packed, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return nil, fault.Wrap(fault.Invalid, err, "the file begins like zstd and is not")
		}
		plain = &bounded{r: z.IOReadCloser(), packed: count.read}
	case bytes.HasPrefix(magic, []byte("PK\x03\x04")), bytes.HasPrefix(magic, []byte("PK\x05\x06")):
		if plain, err = unzip(r); err != nil {
			return nil, err
		}
	}
	text := bufio.NewReaderSize(plain, sampleBytes)
	sample, whole, err := peek(text)
	if err != nil {
		return nil, err
	}
	if order, is := wide(sample); is {
		text = bufio.NewReaderSize(&utf16Reader{r: text, big: order == bigEndian}, sampleBytes)
		if sample, whole, err = peek(text); err != nil {
			return nil, err
		}
	}
	if len(sample) == 0 {
		return nil, fault.New(fault.Invalid, "the file is empty")
	}
	if bytes.HasPrefix(sample, []byte("\ufeff")) {
		if _, err := text.Discard(3); err != nil {
			return nil, err // unreachable: the three bytes have been seen
		}
		sample = sample[3:]
	}
	if bytes.IndexByte(sample, '\n') < 0 && bytes.IndexByte(sample, '\r') >= 0 {
		return nil, fault.New(fault.Invalid, "the lines end in a carriage return alone: save the file with line ends of Windows or Unix")
	}
	return &Opened{Text: text, Sample: sample, Encoding: encodingOf(sample, whole), Whole: whole}, nil
}

// peek returns the beginning of a text, and whether it is all of it.
func peek(text *bufio.Reader) (sample []byte, whole bool, err error) {
	sample, err = text.Peek(sampleBytes)
	switch {
	case err == nil:
		return sample, false, nil
	case errors.Is(err, io.EOF):
		return sample, true, nil
	case fault.Is(err, fault.TooLarge):
		return nil, false, err
	}
	return nil, false, fault.Wrap(fault.Invalid, err, "the file cannot be unpacked; it may be cut off or damaged")
}

// Unreadable is an error of the file itself: of the disk, or of its packing.
func Unreadable(err error, line int64) error {
	if fault.Is(err, fault.TooLarge) {
		return err
	}
	return fault.Wrap(fault.Invalid, err, "the file cannot be read on after line "+strconv.FormatInt(line, 10)+"; it may be cut off or damaged")
}

// counter counts what was read.
type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

func (c *counter) read() int64 { return c.n }

// bounded reads what was unpacked, as far as it is in proportion to what it was
// unpacked from.
type bounded struct {
	r      io.Reader
	n      int64
	packed func() int64
}

func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	b.n += int64(n)
	switch {
	case b.n > maxUnpacked:
		return 0, fault.New(fault.TooLarge, "the file unpacks to more than "+strconv.Itoa(maxUnpacked>>30)+" GB: split it")
	case b.n > fairBytes && b.n/maxRatio > b.packed():
		return 0, fault.New(fault.TooLarge, "the file unpacks to more than "+strconv.Itoa(maxRatio)+" times its size: it is no export. If it is one, unpack it first")
	}
	return n, err
}

// unzip opens the one file of a zip archive. Its name inside is not used for
// anything: nothing is written where an archive says.
func unzip(r io.Reader) (io.Reader, error) {
	at, size, ok := placed(r)
	if !ok {
		return nil, fault.New(fault.Invalid, "the file is a zip archive or an Excel workbook, which cannot be read as a stream: unpack it, or save the sheet as “CSV UTF-8”")
	}
	if entriesOf(at, size) > maxEntries {
		return nil, errEntries // before room is made for as many as it says
	}
	dir := &directory{at: at, left: maxDirectory}
	z, err := zip.NewReader(dir, size)
	if dir.left = math.MaxInt64; fault.Is(err, fault.TooLarge) {
		return nil, errEntries
	}
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "the file begins like a zip archive and is not")
	}
	var files []*zip.File
	for _, f := range z.File {
		switch {
		case f.Name == "[Content_Types].xml":
			return nil, fault.New(fault.Invalid, "the file is an Excel workbook: save the sheet as “CSV UTF-8”")
		case f.Mode().IsRegular() && !strings.HasPrefix(f.Name, "__MACOSX/"):
			files = append(files, f)
		}
	}
	if len(files) != 1 {
		names := make([]string, len(files))
		for i, f := range files {
			names[i] = f.Name
		}
		return nil, fault.New(fault.Invalid, "the archive holds "+strconv.Itoa(len(files))+" files ("+QuoteAll(names)+"): unpack it and import each by itself")
	}
	f, err := files[0].Open()
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "the file in the archive cannot be unpacked")
	}
	packed := min(int64(min(files[0].CompressedSize64, 1<<62)), size)
	return &bounded{r: f, packed: func() int64 { return packed }}, nil
}

// The limits of a zip archive's directory. An export is one file, with a few beside it
// that systems put there; a directory is read whole before the first file is known.
const (
	maxEntries   = 1000
	maxDirectory = 512 << 10 // bytes, the search for its end included
)

var errEntries = fault.New(fault.TooLarge, "the archive holds more than "+strconv.Itoa(maxEntries)+" files: unpack it and import each by itself")

// directory is an archive of which no more is read than a limit, until the limit is
// lifted.
type directory struct {
	at   io.ReaderAt
	left int64
}

func (d *directory) ReadAt(p []byte, off int64) (int, error) {
	if d.left -= int64(len(p)); d.left < 0 {
		return 0, errEntries
	}
	return d.at.ReadAt(p, off)
}

// entriesOf returns how many files an archive says that it holds; zero if it is damaged,
// which the reader finds by itself. By APPNOTE 4.3.16, and 4.3.14 if that is too short.
func entriesOf(at io.ReaderAt, size int64) uint64 {
	const end, locator, end64 = "PK\x05\x06", "PK\x06\x07", "PK\x06\x06"
	tail := make([]byte, min(size, 65<<10))
	if _, err := at.ReadAt(tail, size-int64(len(tail))); err != nil && !errors.Is(err, io.EOF) {
		return 0
	}
	i := bytes.LastIndex(tail, []byte(end))
	if i < 0 || i+22 > len(tail) {
		return 0
	}
	n := uint64(binary.LittleEndian.Uint16(tail[i+10:]))
	if i < 20 || string(tail[i-20:i-16]) != locator {
		return n
	}
	long := make([]byte, 56)
	place := binary.LittleEndian.Uint64(tail[i-12:])
	if place > uint64(size) {
		return n
	}
	if _, err := at.ReadAt(long, int64(place)); err != nil || string(long[:4]) != end64 {
		return n
	}
	return binary.LittleEndian.Uint64(long[32:])
}

// placed returns r as something that can be read at any place.
func placed(r io.Reader) (io.ReaderAt, int64, bool) {
	at, ok := r.(io.ReaderAt)
	if !ok {
		return nil, 0, false
	}
	switch f := r.(type) {
	case interface{ Size() int64 }:
		return at, f.Size(), true
	case interface{ Stat() (fs.FileInfo, error) }:
		info, err := f.Stat()
		return at, size(info), err == nil && info.Mode().IsRegular()
	}
	return nil, 0, false
}

func size(info fs.FileInfo) int64 {
	if info == nil {
		return 0
	}
	return info.Size()
}

// encodingOf says how the letters of a sample are written: as UTF-8 if they can be,
// else as old Windows programs do it.
func encodingOf(sample []byte, whole bool) Encoding {
	if !whole { // the last character may be cut off
		for i := 1; i < utf8.UTFMax && i <= len(sample); i++ {
			if utf8.RuneStart(sample[len(sample)-i]) {
				sample = sample[:len(sample)-i]
				break
			}
		}
	}
	if utf8.Valid(sample) {
		return UTF8
	}
	return Windows1252
}
