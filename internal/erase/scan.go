package erase

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// MinNeedle is the shortest word that a scan looks for, in bytes: a shorter one
// stands in any large file by chance.
const MinNeedle = 6

// Found is a place where a word was found.
type Found struct {
	Needle string
	Where  string
}

// Reader yields everything that a store or a log holds, unpacked, each piece with
// the place where it stands.
type Reader func(ctx context.Context, yield func(where string, body []byte) error) error

// Scan looks for the words in every byte of every file below dir, and in what the
// readers yield. Capitals do not matter. A word is reported once for each file or
// kind of place; what comes is at most a hundred places.
func Scan(ctx context.Context, dir string, needles []string, readers ...Reader) ([]Found, error) {
	s := scanner{seen: map[Found]bool{}}
	for _, n := range needles {
		if len(n) >= MinNeedle {
			s.needles = append(s.needles, lower([]byte(n)))
		}
	}
	if len(s.needles) == 0 {
		return nil, errors.New("no word is long enough to be looked for")
	}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil || !d.Type().IsRegular() {
			return skipGone(err)
		}
		rel, rerr := filepath.Rel(dir, path)
		if rerr != nil {
			rel = path
		}
		s.bytes(rel+" (its name)", []byte(rel))
		return skipGone(s.file(ctx, rel, path))
	})
	for _, r := range readers {
		if err == nil {
			err = r(ctx, func(where string, body []byte) error {
				s.bytes(where, body)
				return nil
			})
		}
	}
	if err != nil {
		return nil, fmt.Errorf("scanning %s: %w", dir, err)
	}
	return s.found, nil
}

// skipGone passes over what was deleted while we looked.
func skipGone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

type scanner struct {
	needles [][]byte
	found   []Found
	seen    map[Found]bool
}

// maxFound bounds the places that are reported: one is too many already.
const maxFound = 100

// window is how much of a file is looked at at once.
const window = 1 << 20

func (s *scanner) file(ctx context.Context, where, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	longest := 0
	for _, n := range s.needles {
		longest = max(longest, len(n))
	}
	buf := make([]byte, window+longest)
	kept := 0 // of the window before, so that a word on the border is seen
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := io.ReadFull(f, buf[kept:])
		if n > 0 {
			s.bytes(where, buf[:kept+n])
			start := max(0, kept+n-longest)
			kept = copy(buf, buf[start:kept+n])
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (s *scanner) bytes(where string, body []byte) {
	if len(s.found) >= maxFound {
		return
	}
	low := lower(body)
	for _, n := range s.needles {
		f := Found{string(n), where}
		if !s.seen[f] && bytes.Contains(low, n) && len(s.found) < maxFound {
			s.seen[f] = true
			s.found = append(s.found, f)
		}
	}
}

// lower returns b with ASCII capitals made small: other bytes, which may be no
// text at all, stay.
func lower(b []byte) []byte {
	low := make([]byte, len(b))
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			c |= 0x20
		}
		low[i] = c
	}
	return low
}

// Say tells the places in one line for each.
func Say(found []Found) string {
	var b strings.Builder
	for _, f := range found {
		fmt.Fprintf(&b, "%q stands in %s\n", f.Needle, f.Where)
	}
	return b.String()
}
