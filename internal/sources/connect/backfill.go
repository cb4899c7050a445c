package connect

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"rapport/internal/catalogue"
	"rapport/internal/core/event"
	"rapport/internal/durable"
	"rapport/internal/fault"
)

// Progress is how far a back-fill is. It is kept in the data directory, so that
// one that is cut short goes on where it was.
type Progress struct {
	Source   string           `json:"source"`
	Resource string           `json:"resource"` // that is being read
	Cursor   string           `json:"cursor"`   // of the page that is read next
	Finished []string         `json:"finished,omitempty"`
	Items    map[string]int64 `json:"items"` // documents read, by resource
	Total    map[string]int64 `json:"total,omitempty"`
	Events   int64            `json:"events"`
	Products int64            `json:"products"`
	Done     bool             `json:"done"`
}

// Backfill is one reading of a shop's past.
type Backfill struct {
	Source *Source
	API    API
	Keeper *catalogue.Keeper
	// Append makes events durable.
	Append  func(ctx context.Context, events []event.Event) error
	Refused func(ctx context.Context, e *event.Event) (bool, error)
	Now     func() event.Time
	Dir     string         // where the place is kept
	Again   bool           // begin anew although the last one was cut short
	Tell    func(Progress) // hears of each page; may be nil
}

// Run reads all that there is, as history: it changes customers and sends
// nothing. What is known already changes nothing, so a page that is read twice
// does no harm; the place is kept after its page is durable, and never before.
func (b *Backfill) Run(ctx context.Context) (p Progress, err error) {
	if p, err = b.place(); err != nil {
		return p, err
	}
	if p.Done || b.Again || p.Items == nil {
		p = Progress{Source: b.Source.Name, Items: map[string]int64{}, Total: map[string]int64{}}
	}
	resources := b.API.Resources()
	for _, resource := range resources[len(p.Finished):] {
		if p.Resource != resource {
			p.Resource, p.Cursor = resource, ""
		}
		if err := b.resource(ctx, &p); err != nil {
			return p, err
		}
		p.Finished, p.Resource, p.Cursor = append(p.Finished, resource), "", ""
		if err := b.keep(&p); err != nil {
			return p, err
		}
	}
	p.Done = true
	return p, b.keep(&p)
}

// resource reads the pages of one resource.
func (b *Backfill) resource(ctx context.Context, p *Progress) error {
	anew := false
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		page, err := b.API.Page(ctx, p.Resource, p.Cursor, b.Now())
		if fault.Is(err, fault.Conflict) && p.Cursor != "" && !anew {
			// The shop has forgotten the place. From its beginning nothing is lost, and
			// nothing counts twice.
			p.Cursor, p.Items[p.Resource], anew = "", 0, true
			continue
		}
		if err != nil {
			return err
		}
		if err := b.take(ctx, &page); err != nil {
			return err
		}
		p.Items[p.Resource] += int64(page.Items)
		p.Events += int64(len(page.Events))
		p.Products += int64(len(page.Products))
		if page.Total > 0 {
			p.Total[p.Resource] = page.Total
		}
		if p.Cursor == page.Next && page.Next != "" {
			return fault.New(fault.Invalid, "the shop's pages lead back to where they were")
		}
		p.Cursor = page.Next
		if b.Tell != nil {
			b.Tell(*p)
		}
		if page.Next == "" {
			return nil
		}
		if err := b.keep(p); err != nil {
			return err
		}
	}
}

// take makes a page durable.
func (b *Backfill) take(ctx context.Context, page *Page) error {
	for i := range page.Events {
		page.Events[i].Origin = event.Import
	}
	if len(page.Products) > 0 {
		if _, err := b.Keeper.Apply(ctx, page.Products); err != nil {
			return err
		}
	}
	events, err := Settle(ctx, page.Events, b.Keeper, b.Refused)
	if err != nil || len(events) == 0 {
		return err
	}
	return b.Append(ctx, events)
}

func (b *Backfill) path() string { return filepath.Join(b.Dir, "backfill-"+b.Source.Name+".json") }

// place reads where the last back-fill was.
func (b *Backfill) place() (p Progress, err error) {
	body, err := os.ReadFile(b.path())
	if errors.Is(err, fs.ErrNotExist) {
		return p, nil
	}
	if err == nil {
		err = json.Unmarshal(body, &p)
	}
	if err != nil || len(p.Finished) > len(b.API.Resources()) {
		return Progress{}, fault.New(fault.Corrupt, b.path()+" cannot be read: remove it and begin again, which changes nothing that is there")
	}
	if p.Total == nil {
		p.Total = map[string]int64{}
	}
	return p, nil
}

func (b *Backfill) keep(p *Progress) error {
	body, err := json.Marshal(p)
	if err != nil {
		return err // unreachable: texts and numbers
	}
	return fault.Wrap(fault.Unavailable, durable.Write(b.path(), append(body, '\n')), "the place in the shop's past cannot be kept")
}
