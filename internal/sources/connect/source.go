package connect

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"rapport/internal/core/money"
	"rapport/internal/durable"
	"rapport/internal/fault"
)

// Source is a shop on a platform, and how we speak with it.
type Source struct {
	Name     string         `json:"name"`     // part of every id: small letters, digits, - and _
	Platform string         `json:"platform"` // shopify or woocommerce
	URL      string         `json:"url"`      // of the shop's API: https://x.myshopify.com, https://shop.example
	Currency money.Currency `json:"currency"` // of prices that name none
	// Identify says how the platform's own id of a customer is used: "user" is the
	// shop's id of its customers, which its pages send as userId; "external" is one
	// beside others, for a shop whose own ids are another system's. Default: user.
	Identify string `json:"identify,omitempty"`
	// ConsentMeta names the meta datum by which a WooCommerce plug-in says that a
	// customer agreed to news; empty: nobody is said to have agreed.
	ConsentMeta string `json:"consent_meta,omitempty"`

	Secrets Secrets `json:"secrets"`
	// ID and Token are what the API asks for: an access token at Shopify, key and
	// secret at WooCommerce. Empty: webhooks only.
	ID    string `json:"api_id,omitempty"`
	Token string `json:"api_token,omitempty"`
}

// Secrets sign webhooks. While one replaces another both are good: what was sent
// before the change is still under way.
type Secrets struct {
	Current  string `json:"current"`
	Previous string `json:"previous,omitempty"`
}

// Identify values.
const (
	AsUser     = "user"
	AsExternal = "external"
)

// maxName is the longest name of a source: it stands in every message id.
const maxName = 32

// Check says what is wrong with a source.
func (s *Source) Check() error {
	bad := func(why string) error { return fault.New(fault.Invalid, why) }
	if s.Name == "" || len(s.Name) > maxName || strings.Trim(s.Name, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
		return bad("the name of a source has at most 32 small letters, digits, - and _")
	}
	if s.Secrets.Current == "" {
		return bad("the secret that signs webhooks is missing")
	}
	if s.Identify != "" && s.Identify != AsUser && s.Identify != AsExternal {
		return bad("customers are identified as " + AsUser + " or " + AsExternal + ", not as " + clip(s.Identify, 40))
	}
	if !strings.HasPrefix(s.URL, "https://") && !strings.HasPrefix(s.URL, "http://127.0.0.1") {
		return bad("the shop's address begins with https://")
	}
	if s.Currency != "" {
		if _, err := money.ParseCurrency(string(s.Currency)); err != nil {
			return err
		}
	}
	return nil
}

// Book is the file in which sources are kept, with their secrets. A server reads
// it anew when it has changed.
type Book struct {
	path string

	mu   sync.Mutex
	list []Source
	mark mark
}

// mark tells one version of the file from the next: every version is a new file.
type mark struct{ size, modified int64 }

// bookFile is the file's name in a data directory.
const bookFile = "sources.json"

// maxBook bounds what is read as a book of sources.
const maxBook = 1 << 20

type bookBody struct {
	Version int      `json:"version"`
	Sources []Source `json:"sources"`
}

// OpenBook returns the book of a data directory; it need not be there.
func OpenBook(dir string) *Book { return &Book{path: filepath.Join(dir, bookFile)} }

// List returns the sources by name.
func (b *Book) List() ([]Source, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.load()
}

func (b *Book) load() ([]Source, error) {
	info, err := os.Stat(b.path)
	if errors.Is(err, fs.ErrNotExist) {
		b.list, b.mark = nil, mark{}
		return nil, nil
	}
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "the book of sources cannot be read")
	}
	m := mark{info.Size(), info.ModTime().UnixNano()}
	if m == b.mark {
		return b.list, nil
	}
	if m.size > maxBook {
		return nil, fault.New(fault.Corrupt, b.path+" is too large for a book of sources")
	}
	body, err := os.ReadFile(b.path)
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "the book of sources cannot be read")
	}
	var book bookBody
	if err := json.Unmarshal(body, &book); err != nil || book.Version != 1 {
		return nil, fault.New(fault.Corrupt, b.path+" is not a book of sources: restore it from a backup, or move it away and connect the shops again")
	}
	b.list, b.mark = book.Sources, m
	return b.list, nil
}

// Find returns the source of the name; NotFound if there is none.
func (b *Book) Find(name string) (Source, error) {
	list, err := b.List()
	if err != nil {
		return Source{}, err
	}
	for _, s := range list {
		if s.Name == name {
			return s, nil
		}
	}
	return Source{}, fault.New(fault.NotFound, "no shop is connected under the name "+clip(name, maxName))
}

// Put keeps a source. If one of the name is there, its secret becomes the previous
// one unless it is the same. It reports whether the source is new.
func (b *Book) Put(s Source) (fresh bool, err error) {
	if err := s.Check(); err != nil {
		return false, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	list, err := b.load()
	if err != nil {
		return false, err
	}
	list = slices.Clone(list)
	i := slices.IndexFunc(list, func(o Source) bool { return o.Name == s.Name })
	if i < 0 {
		list = append(list, s)
		slices.SortFunc(list, func(a, b Source) int { return strings.Compare(a.Name, b.Name) })
		return true, b.save(list)
	}
	if old := list[i]; old.Platform != s.Platform {
		return false, fault.New(fault.Conflict, s.Name+" is a shop on "+old.Platform+" already: give this one another name")
	} else if old.Secrets.Current != s.Secrets.Current {
		s.Secrets.Previous = old.Secrets.Current
	} else {
		s.Secrets.Previous = old.Secrets.Previous
	}
	list[i] = s
	return false, b.save(list)
}

// Settle forgets the previous secret of a source: nothing signed by it is taken
// any more.
func (b *Book) Settle(name string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	list, err := b.load()
	if err != nil {
		return err
	}
	list = slices.Clone(list)
	for i := range list {
		if list[i].Name == name {
			list[i].Secrets.Previous = ""
			return b.save(list)
		}
	}
	return fault.New(fault.NotFound, "no shop is connected under the name "+clip(name, maxName))
}

func (b *Book) save(list []Source) error {
	body, err := json.MarshalIndent(bookBody{1, list}, "", "\t")
	if err != nil {
		return err // unreachable: texts only
	}
	b.mark = mark{} // read anew: two versions of one instant must not be taken for one
	return fault.Wrap(fault.Unavailable, durable.Write(b.path, append(body, '\n')), "the book of sources cannot be written")
}
