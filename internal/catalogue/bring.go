package catalogue

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"

	"rapport/internal/catalogue/feed"
	"rapport/internal/core/event"
	"rapport/internal/core/product"
	"rapport/internal/core/wire"
	"rapport/internal/fault"
)

// Bringing says how a file of products is brought in. Put of the options is not looked at.
type Bringing struct {
	feed.Options

	// Complete: the file names everything that its source sells, and what it does not name
	// is not sold any more. What it names and what was refused stays as it was.
	Complete bool
	// MostGone is how many per cent of what the source sells may go at once: a feed that
	// was cut off is a feed like any other. Default: 30; 100: all.
	MostGone int
	// DryRun: nothing is written. What would go is counted.
	DryRun bool
}

// Brought counts what became of a file.
type Brought struct {
	feed.Totals
	Applied
	Gone int `json:"gone"`
}

// mostGone is how many per cent may go at once where nobody says: a sale's end or a
// new season takes a fifth of a catalogue, a broken export half of it or all. Of fewGone
// products nobody asks which share they are.
const mostGone, fewGone = 30, 10

// Bring reads a file into the catalogue of k; of no keeper it is a dry run. It returns
// what it counted even with an error, and what it says it took stays.
func Bring(ctx context.Context, k *Keeper, in io.Reader, o Bringing) (b Brought, err error) {
	dry := o.DryRun || k == nil
	if o.Now == 0 && k != nil {
		o.Now = k.now()
	}
	named := map[uint64]struct{}{} // what the file names and the catalogue does not learn from it
	nameless := 0
	var batch []Update
	flush := func() error {
		list := batch
		batch = nil
		if len(list) == 0 {
			return nil
		}
		a, err := k.Apply(ctx, list)
		b.add(a)
		return err
	}
	refuse := o.Refuse
	o.Refuse = func(r feed.Refusal) error {
		if r.ID == "" {
			nameless++
		} else if o.Complete {
			named[nameOf(r.ID)] = struct{}{}
		}
		if refuse == nil {
			return nil
		}
		return refuse(r)
	}
	o.Put = func(p product.Product) error {
		if dry {
			if o.Complete && k != nil {
				named[nameOf(p.ID)] = struct{}{}
			}
			return nil
		}
		if batch = append(batch, Update{Product: p}); len(batch) < batchOf {
			return nil
		}
		return flush()
	}
	b.Totals, err = feed.Read(ctx, in, o.Options)
	err = errors.Join(err, flush())
	switch {
	case err != nil, !o.Complete:
		return b, err
	case b.Products == 0:
		return b, fault.New(fault.Invalid, "the file has no product that can be read: nothing is taken out of the catalogue")
	case nameless > 0:
		return b, fault.New(fault.Invalid, fmt.Sprintf("what stands in the file without an id that can be read (%d) may be still sold: nothing is taken out of the catalogue", nameless))
	case k == nil:
		return b, nil
	}
	list, err := k.unnamed(ctx, o.Source, o.Now, named, o.MostGone)
	if err != nil || dry {
		b.Gone = len(list)
		return b, err
	}
	a, err := k.Apply(ctx, list)
	b.Gone = a.Taken
	return b, err
}

// Bring is [Bring] into the keeper's catalogue.
func (k *Keeper) Bring(ctx context.Context, in io.Reader, o Bringing) (Brought, error) {
	return Bring(ctx, k, in, o)
}

func nameOf(id string) uint64 { return wire.Hash("product", id) }

// unnamed returns the removal of what a complete file did not name: every product of
// the source whose picture is older than since, unless it is among the named. More than
// most per cent is Invalid.
func (k *Keeper) unnamed(ctx context.Context, source string, since event.Time, named map[uint64]struct{}, most int) (list []Update, err error) {
	sold := 0
	for p, err := range k.store.Products(ctx) {
		if err != nil {
			return nil, err
		}
		if p.Source != source || p.Gone {
			continue
		}
		sold++
		if _, there := named[nameOf(p.ID)]; !there && p.Updated < since {
			list = append(list, Update{Kind: Remove, Product: product.Product{Ref: p.Ref, Updated: since}})
		}
	}
	if most <= 0 {
		most = mostGone
	}
	if len(list) > fewGone && len(list)*100 > most*sold {
		return nil, fault.New(fault.Invalid, fmt.Sprintf("the file leaves out %d of the %d products that %q sells, %.0f %%, and more than %d %% at once are taken for a broken file: nothing is taken out of the catalogue. "+
			"If it is meant, say that all may go (--most-gone 100, most_gone=100)", len(list), sold, source, math.Floor(float64(len(list))*100/float64(sold)), most))
	}
	return list, nil
}
