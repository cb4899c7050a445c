package picture

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"sync"

	"rapport/internal/fault"
)

// Folder is where pictures lie in a folder of definitions.
const Folder = "pictures"

// Library keeps pictures in a folder of the data directory. It may be used from
// many goroutines.
type Library struct {
	dir string
	// making lets one picture be decoded at a time, because one may take 200 MB.
	making sync.Mutex
}

// Open returns the library in a folder, which is made when the first picture
// comes.
func Open(dir string) *Library { return &Library{dir: dir} }

// Add takes in a picture and returns what it is called. It is durable and can be
// fetched when Add returns. A picture that is there already is not made again.
// What is no picture is refused as by [Inspect].
func (l *Library) Add(ctx context.Context, body []byte) (Info, error) {
	i, err := Inspect(body)
	if err != nil {
		return Info{}, err
	}
	l.making.Lock()
	defer l.making.Unlock()
	if err := ctx.Err(); err != nil {
		return Info{}, err
	}
	// The largest is written last, so that its presence says that all are there.
	last := filepath.Join(l.dir, i.Name(Sizes[len(Sizes)-1]))
	if _, err := os.Stat(last); err == nil {
		return i, nil
	}
	i, made, err := Make(body)
	if err != nil {
		return Info{}, err
	}
	if err := os.MkdirAll(l.dir, 0o700); err != nil {
		return Info{}, fmt.Errorf("making the folder of pictures: %w", err)
	}
	for k, s := range Sizes {
		if err := write(filepath.Join(l.dir, i.Name(s)), made[k]); err != nil {
			return Info{}, fmt.Errorf("keeping a picture: %w", err)
		}
	}
	return i, syncDir(l.dir)
}

// write makes a file whole or not at all.
func write(name string, body []byte) error {
	f, err := os.CreateTemp(filepath.Dir(name), ".new-*")
	if err != nil {
		return err
	}
	_, err = f.Write(body)
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Lacks returns the names of the pictures that the library does not hold, sorted.
func (l *Library) Lacks(pictures map[string]Info) (names []string, err error) {
	for name, i := range pictures {
		_, err := os.Stat(filepath.Join(l.dir, i.Name(Sizes[len(Sizes)-1]))) // the last that Add writes
		switch {
		case errors.Is(err, fs.ErrNotExist):
			names = append(names, name)
		case err != nil:
			return nil, fmt.Errorf("looking for a picture: %w", err)
		}
	}
	slices.Sort(names)
	return names, nil
}

// Import adds the pictures of a folder of definitions. A line that stands for a
// picture, as an export writes it, adds none.
func (l *Library) Import(ctx context.Context, fsys fs.FS) error {
	entries, err := fs.ReadDir(fsys, Folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading the pictures: %w", err)
	}
	for _, e := range entries {
		if !Named(e.Name()) {
			continue
		}
		body, err := Read(fsys, path.Join(Folder, e.Name()))
		if _, stands := ParseInfo(string(body)); stands {
			continue
		}
		if err == nil {
			_, err = l.Add(ctx, body)
		}
		if err != nil {
			return fmt.Errorf("%s/%s: %w", Folder, e.Name(), err)
		}
	}
	return nil
}

// named are the file names of pictures in definitions.
var named = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,98}\.(png|jpg|jpeg|gif|webp)$`)

// Named reports whether a file of the folder of pictures has a name by which a
// template can speak of it: small letters, digits, dots, dashes.
func Named(base string) bool { return named.MatchString(base) }

// Read returns the bytes of a picture in a folder of definitions, no more than a
// picture may have and one.
func Read(fsys fs.FS, name string) ([]byte, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	body, err := io.ReadAll(io.LimitReader(f, MaxBytes+1))
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	return body, nil
}

// served are the names under which pictures are served, and nothing else is.
var served = regexp.MustCompile(`^[0-9a-f]{32}-([0-9]{2,4})\.(jpg|png|gif)$`)

var mediaTypes = map[string]string{"jpg": "image/jpeg", "png": "image/png", "gif": "image/gif"}

// Picture returns a picture by the name that [Info.Name] gave it, with its media
// type. NotFound if there is none.
func (l *Library) Picture(_ context.Context, name string) ([]byte, string, error) {
	none := fault.New(fault.NotFound, "there is no such picture")
	parts := served.FindStringSubmatch(name)
	if parts == nil {
		return nil, "", none
	}
	known := false
	for _, s := range Sizes {
		known = known || strconv.Itoa(s.Width) == parts[1]
	}
	if !known {
		return nil, "", none
	}
	body, err := os.ReadFile(filepath.Join(l.dir, name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, "", none
	}
	if err != nil {
		return nil, "", fmt.Errorf("reading a picture: %w", err)
	}
	return body, mediaTypes[parts[2]], nil
}
