// Package catalogue keeps what the shop sells up to date and says what changed.
//
// Whatever a source tells, by a webhook, a feed or a file, comes here as an
// [Update]; a [Keeper] is the one writer of the catalogue. It drops what is older
// than what it has, works out what a change means to a shopper, and writes product
// and change together, so that a price drop is told once however often it is heard.
//
// A sale that begins or ends at an instant changes a price although nobody sends
// anything. [Keeper.Turn] does what is due by then.
package catalogue

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/product"
	"rapport/internal/fault"
	"rapport/internal/store"
)

// Update is one thing that a source says.
type Update struct {
	Kind    Kind
	Product product.Product // Put: the picture. Remove: its ref, and when in Updated
	Item    string          // Count: the name under which the stock is counted
	Source  string          // Count: whose item
	Level   product.Level   // Count
}

// Kind is what an update says.
type Kind uint8

// The kinds of update.
const (
	Put    Kind = iota // this is the product now
	Remove             // it is not sold any more
	Count              // so many pieces are in a place
)

// Keeper is the one writer of a catalogue. It is safe for many callers.
type Keeper struct {
	store store.Catalogue
	now   func() event.Time
	mu    sync.Mutex // one update is worked out on what the last one left
	seen  seen
	look
}

// New returns the keeper of a catalogue.
func New(c store.Catalogue, now func() event.Time) *Keeper { return &Keeper{store: c, now: now} }

// Applied counts what became of updates.
type Applied struct {
	Taken   int `json:"taken"`         // pictures that replaced what was known
	Stale   int `json:"stale"`         // older than what is known
	Unknown int `json:"unknown_stock"` // stock of what the catalogue does not have
	Changes int `json:"changes"`       // told in the journal
}

// add adds up two.
func (a *Applied) add(b Applied) {
	a.Taken, a.Stale, a.Unknown, a.Changes = a.Taken+b.Taken, a.Stale+b.Stale, a.Unknown+b.Unknown, a.Changes+b.Changes
}

// batchOf is how many updates are written at once: one sync of the disk for
// 500 products, and what they take in memory is a few megabytes.
const batchOf = 500

// Apply takes updates, in order. What it says it took is durable. A product
// without an id or a source is Invalid, and nothing of its batch is taken.
func (k *Keeper) Apply(ctx context.Context, updates []Update) (total Applied, err error) {
	for batch := range slices.Chunk(updates, batchOf) {
		a, err := k.apply(ctx, batch)
		if err != nil {
			return total, err
		}
		total.add(a)
	}
	return total, nil
}

// work is one batch on its way.
type work struct {
	now     event.Time
	low     int64                            // how many pieces are few
	before  map[product.Ref]*product.Product // as it was when the batch began; nil: not there
	after   map[product.Ref]*product.Product
	order   []product.Ref
	applied Applied
	changes []product.Change
}

func (k *Keeper) apply(ctx context.Context, batch []Update) (Applied, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	w := &work{now: k.now(), low: k.few(), before: map[product.Ref]*product.Product{}, after: map[product.Ref]*product.Product{}}
	if err := k.load(ctx, w, batch); err != nil {
		return Applied{}, err
	}
	for i := range batch {
		u := &batch[i]
		if u.Kind == Count {
			if err := k.count(ctx, w, u); err != nil {
				return Applied{}, err
			}
			continue
		}
		w.put(u)
	}
	if len(w.order) == 0 {
		return w.applied, nil
	}
	commit := &store.CatalogueCommit{Changes: w.changes}
	for _, ref := range w.order {
		p := w.after[ref]
		commit.Puts = append(commit.Puts, store.ProductRow{Product: *p, Next: p.Next(w.now)})
	}
	w.applied.Changes = len(w.changes)
	defer k.seen.forget() // whether or not it was written: nobody knows
	return w.applied, k.committed(k.store.Commit(ctx, commit), len(w.changes))
}

// load fetches the products that a batch is about.
func (k *Keeper) load(ctx context.Context, w *work, batch []Update) error {
	var refs []product.Ref
	for i := range batch {
		u := &batch[i]
		if u.Kind == Count {
			continue
		}
		if u.Product.ID == "" || u.Product.Source == "" {
			return fault.New(fault.Invalid, "a product needs an id and a source")
		}
		if _, asked := w.before[u.Product.Ref]; !asked {
			w.before[u.Product.Ref] = nil
			refs = append(refs, u.Product.Ref)
		}
	}
	found, err := k.store.Load(ctx, refs)
	if err != nil {
		return err
	}
	for i, ref := range refs {
		w.before[ref] = found[i]
	}
	return nil
}

// known is the product as the batch has left it so far.
func (w *work) known(ref product.Ref) *product.Product {
	if p := w.after[ref]; p != nil {
		return p
	}
	return w.before[ref]
}

// becomes takes the next picture of a product, after old, which may be nil. What
// it means is told at once: a price that falls and rises within a batch has fallen.
func (w *work) becomes(old, next *product.Product) {
	if w.after[next.Ref] == nil {
		w.order = append(w.order, next.Ref)
	}
	w.after[next.Ref] = next
	w.applied.Taken++
	w.changes = append(w.changes, product.Changes(old, next, w.now, w.now, w.low)...)
}

func (w *work) put(u *Update) {
	old, next := w.known(u.Product.Ref), u.Product
	if old != nil && old.Updated > next.Updated {
		w.applied.Stale++
		return
	}
	if u.Kind == Remove {
		if old == nil {
			// That it is gone is remembered, for a picture of it that comes late.
			next = product.Product{Ref: next.Ref, Updated: next.Updated}
		} else {
			updated := next.Updated
			next = *old
			next.Updated = updated
		}
		next.Gone = true
		w.becomes(old, &next)
		return
	}
	if old != nil {
		next.Variants = slices.Clone(next.Variants)
		for i := range next.Variants {
			v := &next.Variants[i]
			if was := old.Find(v.ID); was != nil && len(v.Levels) == 0 {
				v.Levels = was.Levels
			}
		}
		if old.Gone && old.Updated == next.Updated {
			w.applied.Stale++ // deleted at the instant of its last picture
			return
		}
	}
	w.becomes(old, &next)
}

// count takes what a place says of its stock.
func (k *Keeper) count(ctx context.Context, w *work, u *Update) error {
	key := product.ItemKey(u.Item)
	var old *product.Product
	for _, ref := range w.order { // of this very batch
		if p := w.after[ref]; p.Source == u.Source && slices.Contains(p.Keys(), key) {
			old = p
		}
	}
	if old == nil {
		found, err := k.store.Find(ctx, []string{key})
		if err != nil {
			return err
		}
		if old = found[0]; old == nil || old.Source != u.Source {
			w.applied.Unknown++
			return nil
		}
		w.before[old.Ref] = old
	}
	next := *old
	next.Variants = slices.Clone(old.Variants)
	news := false
	for i := range next.Variants {
		if v := &next.Variants[i]; v.Item == u.Item {
			news = v.Count(u.Level, next.Updated) || news
		}
	}
	if !news {
		w.applied.Stale++
		return nil
	}
	w.becomes(old, &next)
	return nil
}

// Turn tells the changes of price that came by the clock, up to now.
func (k *Keeper) Turn(ctx context.Context) (turned int, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := k.now()
	for {
		due, err := k.store.Due(ctx, now, batchOf)
		if err != nil || len(due) == 0 {
			return turned, err
		}
		commit := &store.CatalogueCommit{}
		for i := range due {
			p := &due[i].Product
			// From instant to instant: two sales that began while nobody looked are two drops.
			for at := due[i].Next; at <= now; at = p.Next(at) {
				commit.Changes = append(commit.Changes, fresh(product.Changes(p, p, at-1, at, product.LowStock), p, now)...)
			}
			commit.Puts = append(commit.Puts, store.ProductRow{Product: *p, Next: p.Next(now)})
		}
		if err := k.committed(k.store.Commit(ctx, commit), len(commit.Changes)); err != nil {
			return turned, err
		}
		turned += len(due)
	}
}

// fresh keeps only what is still so at now: that a sale began is no news when it
// is over.
func fresh(list []product.Change, p *product.Product, now event.Time) []product.Change {
	return slices.DeleteFunc(list, func(c product.Change) bool {
		v := p.Find(c.Variant)
		return v == nil || v.At(now) != c.After
	})
}

// turnEvery is how often the clock is asked what is due: a sale is announced for an
// hour, seldom for a minute.
const turnEvery = 20 * time.Second

// Run turns prices until its context ends.
func (k *Keeper) Run(ctx context.Context, log *slog.Logger) {
	for {
		if _, err := k.Turn(ctx); err != nil && ctx.Err() == nil {
			log.Error("prices that change by the clock could not be told", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(turnEvery):
		}
	}
}
