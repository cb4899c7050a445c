package interest

import (
	"context"
	"log/slog"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/money"
	"rapport/internal/core/product"
	"rapport/internal/store"
)

// Options are what a watcher is made of.
type Options struct {
	Lanes     int
	Feed      func(ctx context.Context, lane int, after uint64, limit int) ([]store.Feed, error)
	Interests store.Interests
	Catalogue store.Catalogue
	Append    func(ctx context.Context, entries []identity.Addressed) error // durable when it returns
	Now       func() event.Time

	// Asked reports whether anything in force asks about events of the name. Nobody
	// is told of changes that nothing asks about. nil: everything is.
	Asked func(name string) bool
	// Sold reports whether something is sold under a name. nil: Catalogue is asked.
	Sold func(key string) bool
	// For is how long an interest lasts. nil: product.InterestFor.
	For func() time.Duration
	Log *slog.Logger
}

// Watcher tells changes of the catalogue to whoever is interested. One process
// runs it, and one goroutine at a time calls it.
type Watcher struct {
	o    Options
	wake chan struct{}

	Told    atomic.Int64 // events that were appended
	Changes atomic.Int64 // changes that were looked at
}

// New returns a watcher.
func New(o Options) *Watcher {
	if o.Asked == nil {
		o.Asked = func(string) bool { return true }
	}
	if o.Sold == nil {
		o.Sold = func(key string) bool {
			list, err := o.Catalogue.Find(context.Background(), []string{key})
			return err == nil && list[0] != nil && !list[0].Gone
		}
	}
	if o.For == nil {
		o.For = func() time.Duration { return product.InterestFor }
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Watcher{o: o, wake: make(chan struct{}, 1)}
}

const (
	// page is how many changes are looked at together: of a price that moves several
	// times within them, only where it ends is told.
	page = 500
	// people is how many interested people are read at once, and batch how many
	// events are appended at once.
	people = 1000
	batch  = 500
	// tellWithin is how old a change may be that is still told: after a longer pause
	// everybody has seen the price.
	tellWithin = 24 * time.Hour
	// replenished is how often something must have been bought for its buyer to want
	// more of it.
	replenished = 2
)

// Tell tells what the journal of the catalogue has gained since the last time, and
// returns how many events that were.
func (w *Watcher) Tell(ctx context.Context) (told int, err error) {
	for {
		last, err := w.o.Interests.Told(ctx)
		if err != nil {
			return told, err
		}
		list, err := w.o.Catalogue.Changes(ctx, last, page)
		if err != nil || len(list) == 0 {
			return told, err
		}
		n, err := w.tell(ctx, list)
		told += n
		if err != nil {
			return told, err
		}
		if err := w.o.Interests.SetTold(ctx, list[len(list)-1].Number); err != nil {
			return told, err
		}
	}
}

func (w *Watcher) tell(ctx context.Context, list []store.Change) (told int, err error) {
	w.Changes.Add(int64(len(list)))
	list = w.worth(list)
	if len(list) == 0 {
		return 0, nil
	}
	refs := make([]product.Ref, len(list))
	for i := range list {
		refs[i] = list[i].Product
	}
	products, err := w.o.Catalogue.Load(ctx, refs)
	if err != nil {
		return 0, err
	}
	var entries []identity.Addressed
	flush := func() error {
		if len(entries) == 0 {
			return nil
		}
		if err := w.o.Append(ctx, entries); err != nil {
			return err
		}
		told += len(entries)
		w.Told.Add(int64(len(entries)))
		entries = nil
		return nil
	}
	for i := range list {
		if !w.holds(&list[i], products[i]) {
			continue
		}
		err := w.interested(ctx, &list[i], func(who identity.ID, why string) error {
			entries = append(entries, identity.Addressed{To: who, Event: news(&list[i], products[i], why)})
			if len(entries) < batch {
				return nil
			}
			return flush()
		})
		if err != nil {
			return told, err
		}
	}
	return told, flush()
}

// worth keeps the changes that somebody asks about and that are not too old, and
// of several of one kind and variant the last, told from where the first began.
func (w *Watcher) worth(list []store.Change) []store.Change {
	type which struct {
		ref           product.Ref
		variant, name string
	}
	at := map[which]int{}
	var kept []store.Change
	now := w.o.Now()
	for _, c := range list {
		if c.Name == product.OutOfStock || now.Sub(c.At) > tellWithin || !w.o.Asked(c.Name) {
			continue
		}
		key := which{c.Product, c.Variant, c.Name}
		if i, before := at[key]; before {
			first := kept[i].Before
			kept[i] = c
			kept[i].Before = max(first, c.Before)
			continue
		}
		at[key] = len(kept)
		kept = append(kept, c)
	}
	return kept
}

// holds reports whether a change is still so.
func (w *Watcher) holds(c *store.Change, p *product.Product) bool {
	if p == nil || p.Gone {
		return false
	}
	v := p.Find(c.Variant)
	return v != nil && v.State.Buyable() && (c.Name != product.PriceDropped || v.At(w.o.Now()) <= c.After)
}

// interested yields whoever is interested in what changed, each once, and why.
func (w *Watcher) interested(ctx context.Context, c *store.Change, yield func(who identity.ID, why string) error) error {
	since := w.o.Now().Add(-w.o.For())
	seen := map[identity.ID]bool{}
	for _, key := range keys(c) {
		var after identity.ID
		for {
			list, err := w.o.Interests.Interested(ctx, key, since, after, people)
			if err != nil {
				return err
			}
			found := 0
			for len(list) > 0 {
				who, n := list[0].Profile, 1
				for n < len(list) && list[n].Profile == who {
					n++
				}
				if why := reason(list[:n], since); why != "" && !seen[who] {
					seen[who] = true
					if err := yield(who, why); err != nil {
						return err
					}
				}
				after, list = who, list[n:]
				found++
			}
			if found < people {
				break
			}
		}
	}
	return nil
}

// keys are the names under which somebody may have been interested in a variant:
// its own, and that of the product where the shop's pages name no variant.
func keys(c *store.Change) (list []string) {
	for _, k := range [...]string{c.SKU, c.Variant, c.Product.ID} {
		k = strings.TrimSpace(k)
		known := k == ""
		for _, other := range list {
			known = known || other == k
		}
		if !known {
			list = append(list, k)
		}
	}
	return list
}

// words of the kinds, in the order of their weight.
var words = []struct {
	kind store.InterestKind
	word string
}{{store.Wished, "wished"}, {store.Carted, "carted"}, {store.Viewed, "viewed"}}

// reason says why one customer is interested, by all that they did with the
// product; empty if they are not. What was bought is wanted no more, unless they
// keep buying it.
func reason(did []store.Interest, since event.Time) string {
	var bought store.Interest
	for _, d := range did {
		if d.Kind == store.Bought {
			bought = d
		}
	}
	for _, w := range words {
		for _, d := range did {
			if d.Kind == w.kind && d.At >= since && d.At > bought.At {
				return w.word
			}
		}
	}
	if bought.Count >= replenished {
		return "bought"
	}
	return ""
}

// news is the change as an event of one customer.
func news(c *store.Change, p *product.Product, why string) event.Event {
	e := c.Event()
	e.ID = event.ID("catalogue:" + strconv.FormatInt(c.Number, 10))
	e.Source = event.CatalogueSource
	var b event.Builder
	e.Props.Each(func(key string, v event.Value) bool { b.Set(key, v); return true })
	b.SetText("name", p.Title).SetText("brand", p.Brand).SetText("category", p.Category()).SetText("url", p.URL).SetText("interest", why)
	if c.Name == product.PriceDropped {
		b.Set("drop", event.Num(drop(c.Before, c.After)))
	}
	e.Props = b.Object()
	return e
}

// drop is by how many per cent a price fell, to one place.
func drop(before, after money.Micros) float64 {
	if before <= 0 {
		return 0
	}
	return float64(int64(float64(before-after)/float64(before)*1000+.5)) / 10
}

// Wake lets Run look at once: the catalogue has changed.
func (w *Watcher) Wake() {
	select {
	case w.wake <- struct{}{}:
	default: // it is awake
	}
}

// lookEvery is how often Run looks by itself, and pruneEvery how often old
// interests are deleted.
const (
	lookEvery  = 2 * time.Second
	pruneEvery = 24 * time.Hour
)

// Run learns and tells until its context ends.
func (w *Watcher) Run(ctx context.Context) {
	said := false
	pruned := time.Time{}
	for {
		_, err := w.Learn(ctx)
		if err == nil {
			_, err = w.Tell(ctx)
		}
		if err == nil && time.Since(pruned) > pruneEvery {
			// Bought things keep their count for a year: tea is bought monthly.
			if _, err = w.o.Interests.Prune(ctx, w.o.Now().Add(-keptFor), nil); err == nil {
				pruned = time.Now()
			}
		}
		if err != nil && ctx.Err() == nil && !said {
			w.o.Log.Error("changes of the catalogue are not told to those who are interested", "error", err)
		}
		said = err != nil
		select {
		case <-ctx.Done():
			return
		case <-w.wake:
		case <-time.After(lookEvery):
		}
	}
}

// keptFor is how long interests are kept.
const keptFor = 365 * 24 * time.Hour
