package recommend

import (
	"math"
	"slices"
	"strings"
	"unicode"
)

const (
	// docTerms is how many words of one description count.
	docTerms = 64
	// maxPosting is how many descriptions a word may be in before it tells nothing:
	// it is the shop's name or a unit.
	maxPosting = 5_000
	// MaxDocs bounds the descriptions.
	MaxDocs = 1_000_000
	// leastAlike is how alike two descriptions must be, 1 being the same words.
	leastAlike = 0.1
	// A category and a brand count as so many words of a title.
	categoryWeight, brandWeight = 2, 1.5
)

// Description is what is written about an item.
type Description struct {
	Name       string
	Title      string
	Brand      string
	Categories []string
	More       string // attributes, as words
}

// Corpus compares descriptions by their words: those that few descriptions have
// count most.
type Corpus struct {
	names []string
	ids   map[string]uint32
	docs  [][]term
	terms map[string]*posting
	live  int
}

type term struct {
	p      *posting
	weight float64
}

type posting struct {
	word string
	docs []uint32
	n    int // descriptions that have it, beyond maxPosting too
}

// NewCorpus returns a corpus without descriptions.
func NewCorpus() *Corpus { return &Corpus{ids: map[string]uint32{}, terms: map[string]*posting{}} }

// Len returns how many descriptions there are.
func (c *Corpus) Len() int { return c.live }

// Put takes the description of an item in place of the one it had.
func (c *Corpus) Put(d Description) {
	c.Remove(d.Name)
	id, known := c.ids[d.Name]
	if d.Name == "" || !known && len(c.names) >= MaxDocs {
		return
	}
	if !known {
		id = uint32(len(c.names))
		c.names, c.docs = append(c.names, d.Name), append(c.docs, nil)
		c.ids[d.Name] = id
	}
	weights := map[string]float64{}
	var order []string
	add := func(word string, w float64) {
		if _, there := weights[word]; !there {
			if len(order) >= docTerms {
				return
			}
			order = append(order, word)
		}
		weights[word] = max(weights[word], w)
	}
	for _, category := range d.Categories {
		add("category:"+strings.ToLower(category), categoryWeight)
	}
	if d.Brand != "" {
		add("brand:"+strings.ToLower(d.Brand), brandWeight)
	}
	words(d.Title, func(w string) { add(w, 1) })
	words(d.More, func(w string) { add(w, 1) })
	for _, w := range order {
		p := c.terms[w]
		if p == nil {
			p = &posting{word: w}
			c.terms[w] = p
		}
		p.n++
		if len(p.docs) < maxPosting {
			p.docs = append(p.docs, id)
		}
		c.docs[id] = append(c.docs[id], term{p, weights[w]})
	}
	c.live++
}

// Remove forgets the description of an item.
func (c *Corpus) Remove(name string) {
	id, known := c.ids[name]
	if !known || c.docs[id] == nil {
		return
	}
	for _, t := range c.docs[id] {
		t.p.n--
		if i := slices.Index(t.p.docs, id); i >= 0 {
			t.p.docs = slices.Delete(t.p.docs, i, i+1)
		}
		if t.p.n == 0 {
			delete(c.terms, t.p.word)
		}
	}
	c.docs[id] = nil
	c.live--
}

// words yields the words of a text in small letters.
func words(text string, yield func(string)) {
	for w := range strings.FieldsFuncSeq(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		if len(w) > 1 {
			yield(w)
		}
	}
}

func (c *Corpus) idf(p *posting) float64 {
	return math.Log(1 + float64(c.live)/float64(max(p.n, 1)))
}

func (c *Corpus) norm(id uint32) float64 {
	sum := 0.0
	for _, t := range c.docs[id] {
		w := t.weight * c.idf(t.p)
		sum += w * w
	}
	return math.Sqrt(sum)
}

// Similar appends at most n items that are described like the named one.
func (c *Corpus) Similar(dst []Item, name string, n int, s *Scratch) []Item {
	id, known := c.ids[name]
	if !known || c.docs[id] == nil {
		return dst
	}
	s.sums.clear()
	for _, t := range c.docs[id] {
		if t.p.n > maxPosting {
			continue
		}
		w := t.weight * c.idf(t.p)
		for _, other := range t.p.docs {
			if other != id {
				s.sums.add(other, w*w)
			}
		}
	}
	own := c.norm(id)
	s.hits = s.sums.hits(s.hits[:0])
	kept := s.hits[:0]
	for _, h := range s.hits {
		if h.score /= own * c.norm(h.n); h.score >= leastAlike {
			kept = append(kept, h)
		}
	}
	return c.rank(dst, kept, n)
}

// Find appends at most n items whose descriptions have most of the words of a
// search: the rarer the words, the more they count. Of words that no description
// has there is nothing to tell.
func (c *Corpus) Find(dst []Item, text string, n int, s *Scratch) []Item {
	phrase := Phrase(text)
	s.sums.clear()
	asked, all := map[string]bool{}, 0.0
	words(phrase, func(w string) {
		if asked[w] {
			return
		}
		asked[w] = true
		p := c.terms[w]
		if p == nil {
			all += math.Log(1 + float64(c.live)) // a word that nothing has counts against everything
			return
		}
		weight := c.idf(p)
		all += weight
		for _, id := range p.docs {
			s.sums.add(id, weight)
		}
	})
	s.hits = s.sums.hits(s.hits[:0])
	kept := s.hits[:0]
	for _, h := range s.hits {
		if h.score /= all; h.score >= 0.5 {
			kept = append(kept, h)
		}
	}
	return c.rank(dst, kept, n)
}

func (c *Corpus) rank(dst []Item, hits []hit, n int) []Item {
	before := func(a, b *hit) bool {
		if a.score != b.score {
			return a.score > b.score
		}
		return c.names[a.n] < c.names[b.n]
	}
	hits = best(hits, n, before)
	sortHits(hits, before)
	for _, h := range hits {
		dst = append(dst, Item{c.names[h.n], h.score})
	}
	return dst
}
