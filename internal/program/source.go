package program

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"rapport/internal/core/wire"
	"rapport/internal/fault"
)

// Limits of a folder of definitions.
const (
	// MaxFile bounds one file: ten times the longest e-mail that any client shows.
	MaxFile = 1 << 20
	// MaxFiles bounds the files: the largest shops have some hundreds of messages.
	MaxFiles = 2000
	// MaxSource bounds all files together, because a source is kept in one row of
	// the store and compiled in memory.
	MaxSource = 32 << 20
	// maxPath bounds a file's path.
	maxPath = 200
)

// CoreVersion is the version of the meaning of definitions. It is part of
// [Source.Hash]: when the same files mean something else in a newer core, the
// number goes up, and every profile is evaluated again.
const CoreVersion = "1"

// File is one file of a source.
type File struct {
	Path string // with slashes, below the folder: "segments/vip.yaml"
	Body string
}

// Source is a shop's definitions as written. It is immutable.
type Source struct {
	files []File // by path
}

// Read takes the definitions from a folder: every .yaml, .yml, .liquid and .mjml
// file in it and below it, the .jsonl of the folder stores and the .geojson of the
// folder fences, and of the folder pictures what each picture is. Left alone are files of other kinds, files and folders that
// begin with a dot, the folder stories, and folders that have a shop.yaml of
// their own: those are other shops. A symbolic link is refused, because
// it may lead out of the folder; so give it os.Root.FS, or os.DirFS of a folder
// that nobody else writes.
//
// A link, a name that is not portable or no definition at all is a fault of kind
// Invalid; too many or too long files are TooLarge.
func Read(fsys fs.FS) (*Source, error) {
	var files []File
	total := 0
	err := fs.WalkDir(fsys, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return fmt.Errorf("reading the definitions at %s: %w", name, err)
		}
		base := path.Base(name)
		switch {
		case name != "." && strings.HasPrefix(base, "."), name == "stories":
			if entry.IsDir() {
				return fs.SkipDir
			}
			return nil
		case entry.IsDir() && name != "." && holds(fsys, name, "shop.yaml"):
			return fs.SkipDir
		case entry.Type()&fs.ModeSymlink != 0:
			return fault.New(fault.Invalid, name+" is a symbolic link: definitions are files in the folder itself, so copy it there")
		case entry.IsDir() || !isDefinition(base) && !isPicture(name) && !isPlaces(name):
			return nil
		case !entry.Type().IsRegular():
			return fault.New(fault.Invalid, name+" is not an ordinary file")
		case len(files) == MaxFiles:
			return fault.New(fault.TooLarge, "there are more than "+strconv.Itoa(MaxFiles)+" files of definitions")
		}
		if isPicture(name) {
			f, err := readPicture(fsys, name)
			files = append(files, f)
			return err
		}
		body, err := readFile(fsys, name)
		if err != nil {
			return err
		}
		if total += len(body); total > MaxSource {
			return fault.New(fault.TooLarge, "the definitions are longer than "+strconv.Itoa(MaxSource>>20)+" MB together")
		}
		files = append(files, File{name, body})
		return nil
	})
	if err != nil {
		return nil, err
	}
	return New(files)
}

func holds(fsys fs.FS, dir, base string) bool {
	_, err := fs.Stat(fsys, path.Join(dir, base))
	return err == nil // whatever else is wrong with it is found when it is read
}

func isDefinition(base string) bool {
	switch path.Ext(base) {
	case ".yaml", ".yml", ".liquid", markup:
		return true
	}
	return false
}

func readFile(fsys fs.FS, name string) (string, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return "", fmt.Errorf("reading %s: %w", name, err)
	}
	body, err := io.ReadAll(io.LimitReader(f, int64(mostOf(name))+1))
	if err := errors.Join(err, f.Close()); err != nil {
		return "", fmt.Errorf("reading %s: %w", name, err)
	}
	return string(body), nil
}

// New returns the source of the files, in any order. Two files with one path, a
// path that leads out of the folder, or no file at all is a fault of kind
// Invalid; more than the limits allow is TooLarge.
func New(files []File) (*Source, error) {
	s := &Source{slices.Clone(files)}
	slices.SortFunc(s.files, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	total := 0
	for i, f := range s.files {
		switch {
		case !fs.ValidPath(f.Path) || f.Path == "." || len(f.Path) > maxPath || strings.ContainsAny(f.Path, "\\:\x00\n"):
			return nil, fault.New(fault.Invalid, strconv.Quote(f.Path)+" is not a path of a definition, such as segments/vip.yaml")
		case i > 0 && s.files[i-1].Path == f.Path:
			return nil, fault.New(fault.Invalid, f.Path+" is there twice")
		case len(f.Body) > mostOf(f.Path):
			return nil, fault.New(fault.TooLarge, f.Path+" is longer than "+strconv.Itoa(mostOf(f.Path)>>20)+" MB")
		}
		total += len(f.Body)
	}
	switch {
	case len(s.files) == 0:
		return nil, fault.New(fault.Invalid, "there are no definitions: the folder needs at least a shop.yaml")
	case len(s.files) > MaxFiles:
		return nil, fault.New(fault.TooLarge, "there are more than "+strconv.Itoa(MaxFiles)+" files of definitions")
	case total > MaxSource:
		return nil, fault.New(fault.TooLarge, "the definitions are longer than "+strconv.Itoa(MaxSource>>20)+" MB together")
	}
	return s, nil
}

// Files returns the files by path. The caller must not change the list.
func (s *Source) Files() []File { return s.files }

// File returns the body of the file at the path, and whether there is one.
func (s *Source) File(path string) (string, bool) {
	i, found := slices.BinarySearchFunc(s.files, path, func(f File, p string) int { return strings.Compare(f.Path, p) })
	if !found {
		return "", false
	}
	return s.files[i].Body, true
}

// packVersion is the first byte of a packed source. Older ones stay readable for
// as long as a log may name their hash.
const packVersion = 1

// Pack returns the source as bytes. Equal sources give equal bytes.
func (s *Source) Pack() []byte {
	size := 16
	for _, f := range s.files {
		size += len(f.Path) + len(f.Body) + 8
	}
	b := append(make([]byte, 0, size), packVersion)
	b = wire.Uvarint(b, uint64(len(s.files)))
	for _, f := range s.files {
		b = wire.Text(wire.Text(b, f.Path), f.Body)
	}
	return b
}

// Unpack returns the source that [Source.Pack] wrote. Damaged bytes give a fault
// of kind Corrupt.
func Unpack(packed []byte) (*Source, error) {
	r := wire.NewReader(string(packed))
	if r.Byte() != packVersion && r.Err() == nil {
		r.Fail("definitions of an unknown version")
	}
	n := r.Len(2)
	files := make([]File, 0, min(n, MaxFiles))
	for ; n > 0 && r.Err() == nil; n-- {
		files = append(files, File{r.Text(), r.Text()})
	}
	if r.Err() == nil && r.Rest() != "" {
		r.Fail("something follows the definitions")
	}
	if r.Err() != nil {
		return nil, r.Err()
	}
	s, err := New(files)
	if err != nil {
		return nil, fault.Wrap(fault.Corrupt, err, "stored definitions are damaged")
	}
	return s, nil
}

// Hash names the source: equal files under the same [CoreVersion] have equal
// hashes. It is never zero, which profiles use for "not evaluated yet".
func (s *Source) Hash() uint64 { return max(1, wire.Hash(string(s.Pack()), CoreVersion)) }

// With returns the source with files in the place of those of the same path, or
// beside the others, and without those that are to be removed.
func (s *Source) With(files []File, remove []string) (*Source, error) {
	all := slices.DeleteFunc(slices.Clone(s.files), func(f File) bool {
		return slices.Contains(remove, f.Path) || slices.ContainsFunc(files, func(n File) bool { return n.Path == f.Path })
	})
	return New(append(all, files...))
}
