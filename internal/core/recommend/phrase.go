package recommend

import (
	"strings"
	"time"

	"rapport/internal/core/event"
)

const (
	// MaxPhrases bounds the phrases that are remembered; beyond, those that were
	// searched least go. The head of a shop's searches is some thousands.
	MaxPhrases = 50_000
	// maxPhrase bounds a phrase: longer ones are pasted texts.
	maxPhrase = 100
	// phraseItems is how many items are remembered of one phrase.
	phraseItems = 50
	// phraseFor is how long after a search what somebody looks at follows from it.
	phraseFor = 10 * time.Minute
	// maxSearching bounds who is remembered to have searched just now.
	maxSearching = 100_000
	phraseHalf   = 30 * 24 * time.Hour
)

// Phrases remembers what people looked at after they had searched for some words.
type Phrases struct {
	phrases   map[string]*Tally
	uses      *Tally
	searching map[uint64]search
}

type search struct {
	phrase string
	at     event.Time
}

// NewPhrases returns a memory of no searches.
func NewPhrases() *Phrases {
	return &Phrases{phrases: map[string]*Tally{}, uses: NewTally(phraseHalf), searching: map[uint64]search{}}
}

// Phrase returns the words of a search as they are compared: in small letters,
// parted by one space; empty if that is no phrase.
func Phrase(text string) string {
	if len(text) > 4*maxPhrase {
		return ""
	}
	p := strings.Join(strings.Fields(strings.ToLower(text)), " ")
	if len(p) > maxPhrase {
		return ""
	}
	return p
}

// Search notes that a visitor searched.
func (f *Phrases) Search(visitor uint64, text string, at event.Time) {
	phrase := Phrase(text)
	if phrase == "" {
		return
	}
	if len(f.searching) >= maxSearching {
		for v, s := range f.searching { // order does not matter: each goes or stays by itself
			if at.Sub(s.at) >= phraseFor {
				delete(f.searching, v)
			}
		}
		if len(f.searching) >= maxSearching {
			clear(f.searching)
		}
	}
	f.searching[visitor] = search{phrase, at}
	f.uses.Add(phrase, 1, at)
}

// Look notes that a visitor looked at an item, or bought it: it follows from what
// they last searched for, if that was just now.
func (f *Phrases) Look(visitor uint64, item string, times float64, at event.Time) {
	s, ok := f.searching[visitor]
	if !ok {
		return
	}
	if at.Sub(s.at) >= phraseFor {
		delete(f.searching, visitor)
		return
	}
	t := f.phrases[s.phrase]
	if t == nil {
		if len(f.phrases) >= MaxPhrases {
			f.prune()
		}
		t = NewTally(phraseHalf)
		f.phrases[s.phrase] = t
	}
	if t.Len() < phraseItems || t.counts[item] != nil {
		t.Add(item, times, at)
		return
	}
	// Of a phrase that everything follows from, the least half makes room.
	t.halve()
	t.retop()
	t.Add(item, times, at)
}

// retop makes the order of the highest anew.
func (t *Tally) retop() {
	t.top = t.top[:0]
	for _, c := range t.counts { // order does not matter: each is marked
		c.rank = -1
	}
	for _, c := range t.counts { // order does not matter: rise puts each into its place
		t.rise(c)
	}
}

// prune forgets the half of the phrases that was searched for least.
func (f *Phrases) prune() {
	list := make([]Item, 0, len(f.phrases))
	for p := range f.phrases { // order does not matter: they are sorted
		list = append(list, Item{p, f.uses.Share(p)})
	}
	Sort(list)
	for _, it := range list[len(list)/2:] {
		delete(f.phrases, it.Name)
	}
}

// Followed appends at most n items that followed from a phrase. Of a phrase that
// led to nothing there is nothing to tell.
func (f *Phrases) Followed(dst []Item, text string, n int) []Item {
	if t := f.phrases[Phrase(text)]; t != nil {
		return t.Top(dst, n)
	}
	return dst
}

// Forget forgets what a visitor searched for.
func (f *Phrases) Forget(visitor uint64) { delete(f.searching, visitor) }
