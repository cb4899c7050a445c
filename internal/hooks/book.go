package hooks

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"rapport/internal/channels/provider"
	"rapport/internal/durable"
	"rapport/internal/fault"
)

// Source is one account of a provider that tells us.
type Source struct {
	Provider string `json:"provider"`
	Name     string `json:"name"` // ours, in the path

	// Secret is what proves the provider: its signing key, public key, password or
	// the topic that it publishes to. It is kept in the clear, in a file that its
	// owner alone may read, because signatures cannot be checked without it.
	Secret string `json:"secret"`
}

// The limits of a book.
const (
	// MaxSources bounds the sources: an account for each brand and stream, and some.
	MaxSources = 100
	// maxName bounds the name of a source, which stands in a path.
	maxName = 40
	// maxSecret bounds a secret: a public key has 124 letters, some topics 300.
	maxSecret = 2000
	// maxFile bounds what is read as a book.
	maxFile = 1 << 20
)

// file is the book's name in the data directory.
const file = "hooks.json"

// Book is the sources of a data directory. A change by another process is seen at
// the next question.
type Book struct {
	path   string
	reader func(Source) (provider.Reader, error)

	mu      sync.Mutex
	mark    mark
	sources []Source
	readers map[[2]string]provider.Reader
}

// mark tells one version of the file from the next without reading it.
type mark struct {
	size     int64
	modified time.Time
}

// OpenBook returns the book of a data directory. Reader makes the reader of a source,
// and says what is wrong with it.
func OpenBook(dir string, reader func(Source) (provider.Reader, error)) *Book {
	return &Book{path: filepath.Join(dir, file), reader: reader}
}

// Reader returns who reads what a source tells; a fault of kind NotFound if there
// is no such source.
func (b *Book) Reader(name, source string) (provider.Reader, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.refresh(); err != nil {
		return nil, err
	}
	if r := b.readers[[2]string{name, source}]; r != nil {
		return r, nil
	}
	for _, s := range b.sources {
		if s.Provider == name && s.Name == source {
			r, err := b.reader(s)
			if err != nil {
				return nil, err
			}
			b.readers[[2]string{name, source}] = r
			return r, nil
		}
	}
	return nil, fault.New(fault.NotFound, "there is no such source")
}

// Sources returns the sources in the order in which they were added.
func (b *Book) Sources() ([]Source, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	err := b.refresh()
	return slices.Clone(b.sources), err
}

// Add keeps a source, or gives one that is there another secret. It is durable
// when it returns. A source whose reader cannot be made is refused with the reason.
func (b *Book) Add(s Source) error {
	if !validName(s.Name) {
		return fault.New(fault.Invalid, "the name of a source is up to "+strconv.Itoa(maxName)+" small letters, digits and hyphens, not "+strconv.Quote(s.Name))
	}
	if len(s.Secret) > maxSecret {
		return fault.New(fault.Invalid, "the secret is longer than any that a provider gives")
	}
	if _, err := b.reader(s); err != nil {
		return err
	}
	return b.change(func(list []Source) ([]Source, error) {
		for i := range list {
			if list[i].Provider == s.Provider && list[i].Name == s.Name {
				list[i] = s
				return list, nil
			}
		}
		if len(list) >= MaxSources {
			return nil, fault.New(fault.TooLarge, "there are "+strconv.Itoa(MaxSources)+" sources already")
		}
		return append(list, s), nil
	})
}

// Remove forgets a source. It is durable when it returns.
func (b *Book) Remove(name, source string) error {
	return b.change(func(list []Source) ([]Source, error) {
		n := len(list)
		list = slices.DeleteFunc(list, func(s Source) bool { return s.Provider == name && s.Name == source })
		if len(list) == n {
			return nil, fault.New(fault.NotFound, "there is no source "+name+"/"+source)
		}
		return list, nil
	})
}

func (b *Book) change(f func([]Source) ([]Source, error)) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.refresh(); err != nil {
		return err
	}
	list, err := f(slices.Clone(b.sources))
	if err != nil {
		return err
	}
	text, err := json.MarshalIndent(list, "", "\t")
	if err != nil {
		return err // unreachable: sources are strings
	}
	if err := durable.Write(b.path, append(text, '\n')); err != nil {
		return fault.Wrap(fault.Unavailable, err, "the file of webhook sources cannot be written")
	}
	b.mark = mark{}
	return b.refresh()
}

// refresh reads the file if it is another than was read last. The lock is held.
func (b *Book) refresh() error {
	info, err := os.Stat(b.path)
	if errors.Is(err, fs.ErrNotExist) {
		b.mark, b.sources, b.readers = mark{}, nil, nil
		return nil
	}
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "the file of webhook sources cannot be read")
	}
	now := mark{info.Size(), info.ModTime()}
	if now == b.mark {
		return nil
	}
	if info.Size() > maxFile {
		return fault.New(fault.Corrupt, b.path+" is too large to be a file of webhook sources")
	}
	text, err := os.ReadFile(b.path)
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "the file of webhook sources cannot be read")
	}
	var list []Source
	if err := json.Unmarshal(text, &list); err != nil {
		return fault.Wrap(fault.Corrupt, err, b.path+" is not a file of webhook sources. Restore it from the backup, or remove it and add the sources again")
	}
	b.mark, b.sources, b.readers = now, list, map[[2]string]provider.Reader{}
	return nil
}

func validName(s string) bool {
	return s != "" && len(s) <= maxName && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}
