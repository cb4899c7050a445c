package bench

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"rapport/internal/core"
	"rapport/internal/core/condition"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
	"rapport/internal/engine"
	"rapport/internal/eventlog"
	"rapport/internal/program"
	"rapport/internal/store"
)

// crowd is a shop with customers who have a past: a log and a state in a folder.
type crowd struct {
	b     *bench
	prog  *program.Program
	next  []*program.Program // that come into force after prog
	now   func() event.Time
	homes []identity.ID
	log   eventlog.Log
	store store.Store
	e     *engine.Engine
}

// originals is how many customers are heard event by event; the others are copies
// of them under ids of their own. A thousand pasts are enough for alarms and sizes
// to spread as they do in life.
const originals = 1000

// populate makes a state of n customers, each with so many events of the last
// eight months behind them. What a copy has is what the engine made of the
// original: hot row, history blocks, memberships and homes of its identifiers.
func (b *bench) populate(ctx context.Context, prog *program.Program, now func() event.Time, n int, past func(i int) []event.Event) (c *crowd, err error) {
	if n > maxCustomers {
		return nil, fmt.Errorf("a bench has at most %d customers", maxCustomers)
	}
	c = &crowd{b: b, prog: prog, now: now, homes: make([]identity.ID, n)}
	for i := range c.homes {
		c.homes[i] = home(identity.User, userOf(i))
	}
	if err := c.open(ctx, true); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, c.close(ctx)) }()
	if err := c.e.Switch(ctx, prog.Core.Hash); err != nil {
		return nil, err
	}
	models := min((n+1)/2, originals)
	b.say("%d customers live their past", models)
	for i := range models {
		var entries []identity.Addressed
		for _, e := range past(i) {
			e.User = userOf(i)
			entries = append(entries, identity.Addressed{To: c.homes[i], Event: e})
		}
		if err := c.e.Append(ctx, entries); err != nil {
			return nil, err
		}
	}
	if err := c.e.Settle(ctx); err != nil {
		return nil, err
	}
	b.say("%d copies of them", n-models)
	return c, c.copies(ctx, models)
}

func home(kind identity.Kind, value string) identity.ID {
	return secret.Home(identity.Identifier{Kind: kind, Value: value})
}

// open opens log, state and engine. Quiet: nothing moves but by Settle.
func (c *crowd) open(ctx context.Context, quiet bool) (err error) {
	if c.log, err = c.b.Log(ctx, filepath.Join(c.b.dir, "log"), c.now); err != nil {
		return err
	}
	if c.store, err = c.b.Store(ctx, c.b.dir); err != nil {
		return errors.Join(err, c.close(ctx))
	}
	c.e, err = engine.Open(ctx, engine.Options{
		Log: c.log, Store: c.store, Key: secret, Now: c.now, Virtual: quiet, Logger: c.b.Logger,
		Programs: func(_ context.Context, hash uint64) (*core.Program, error) {
			for _, p := range c.next {
				if p.Core.Hash == hash {
					return p.Core, nil
				}
			}
			return c.prog.Core, nil
		},
	})
	if err != nil {
		return errors.Join(err, c.close(ctx))
	}
	return nil
}

func (c *crowd) close(ctx context.Context) error {
	var errs []error
	if c.e != nil {
		errs = append(errs, c.e.Close(context.WithoutCancel(ctx)))
	}
	if c.store != nil {
		errs = append(errs, c.store.Close())
	}
	if c.log != nil {
		errs = append(errs, c.log.Close())
	}
	c.e, c.store, c.log = nil, nil, nil
	return errors.Join(errs...)
}

// original is a customer to be copied.
type original struct {
	body    []byte
	alarm   event.Time
	homes   map[identity.Kind][]byte // of the other identifiers: signposts
	blocks  []store.Block
	members []store.Membership
}

func (c *crowd) original(ctx context.Context, i int) (o original, err error) {
	kinds := []identity.Kind{identity.User, identity.Anonymous, identity.Email}
	rows, err := c.store.Load(ctx, []identity.ID{c.homes[i], home(identity.Anonymous, anonOf(i)), home(identity.Email, emailOf(i))})
	if err != nil {
		return o, err
	}
	p, err := profile.Decode(string(rows[0].Body))
	if err != nil {
		return o, err
	}
	o.body, o.alarm, o.homes = rows[0].Body, p.Alarm, map[identity.Kind][]byte{}
	for k, row := range rows[1:] {
		if row.Body != nil {
			o.homes[kinds[k+1]] = row.Body
		}
	}
	if o.blocks, err = c.store.History(ctx, c.homes[i]); err != nil {
		return o, err
	}
	for _, name := range c.prog.Core.Segments.Names() {
		if m := p.Member(condition.SegmentKey(name)); m.In {
			o.members = append(o.members, store.Membership{Segment: m.Key, In: true})
		}
	}
	return o, nil
}

// copyBatch is how many customers one commit brings.
const copyBatch = 2000

// copies commits the customers who are copies.
func (c *crowd) copies(ctx context.Context, models int) error {
	list := make([]original, models)
	for i := range list {
		var err error
		if list[i], err = c.original(ctx, i); err != nil {
			return err
		}
	}
	row, past := 0, 0
	for i := range list {
		row += len(list[i].body)
		for _, k := range list[i].blocks {
			past += len(k.Body)
		}
	}
	c.b.result.Params["hot_row_bytes"], c.b.result.Params["history_bytes_per_customer"] = row/models, past/models
	at, err := c.store.Position(ctx, 0)
	if err != nil {
		return err
	}
	for from := models; from < len(c.homes); from += copyBatch {
		commit := &store.Commit{From: at, To: at}
		for i := from; i < min(from+copyBatch, len(c.homes)); i++ {
			if err := c.copy(commit, &list[i%models], i); err != nil {
				return err
			}
		}
		slices.SortFunc(commit.Profiles, func(a, b store.Row) int { return a.ID.Compare(b.ID) })
		slices.SortStableFunc(commit.History, func(a, b store.Block) int { return a.Strand.Compare(b.Strand) })
		if err := c.store.Commit(ctx, commit); err != nil {
			return err
		}
	}
	return nil
}

// copy adds customer i, who is the original under another name.
func (c *crowd) copy(commit *store.Commit, o *original, i int) error {
	p, err := profile.Decode(string(o.body))
	if err != nil {
		return err
	}
	names := map[identity.Kind]string{identity.User: userOf(i), identity.Anonymous: anonOf(i), identity.Email: emailOf(i)}
	p.ID = c.homes[i]
	p.Birth.Value = names[p.Birth.Kind]
	for h := range p.Held {
		p.Held[h].Identifier.Value = names[p.Held[h].Identifier.Kind]
	}
	for t := range p.Traits {
		if p.Traits[t].Name == "email" {
			p.Traits[t].Value = event.Text(emailOf(i))
		}
	}
	commit.Profiles = append(commit.Profiles, store.Row{ID: p.ID, Alarm: p.Alarm, Body: p.AppendHot(nil), Rest: p.AppendRest(nil)})
	for kind, row := range o.homes {
		s, err := profile.Decode(string(row))
		if err != nil {
			return err
		}
		s.ID, s.Owner, s.Birth.Value = home(kind, names[kind]), p.ID, names[kind]
		commit.Profiles = append(commit.Profiles, store.Row{ID: s.ID, Alarm: s.Alarm, Signpost: !s.Lives(), Body: s.AppendHot(nil), Rest: s.AppendRest(nil)})
	}
	for _, k := range o.blocks {
		k.Strand = p.ID
		commit.History = append(commit.History, k)
	}
	for _, m := range o.members {
		m.Profile = p.ID
		commit.Memberships = append(commit.Memberships, m)
	}
	return nil
}

// months is how far back a past reaches.
const months = 240 * 24 * time.Hour

// shopper returns the past of a customer: who they are, what they agreed to, and
// events spread over eight months.
func shopper(now event.Time, events int) func(i int) []event.Event {
	return func(i int) []event.Event {
		dice := rand.New(rand.NewPCG(uint64(i), 5))
		begin := now.Add(-months)
		list := []event.Event{known(i, begin)}
		for k := range events {
			at := begin.Add(time.Duration(k+1) * (months - 24*time.Hour) / time.Duration(events+1)).Add(time.Duration(dice.IntN(3600)) * time.Second)
			e := happening(dice)
			e.ID = event.ID(fmt.Sprintf("past-%07d-%05d", i, k))
			e.At, e.Raw, e.Origin, e.Anon = at, at, event.Import, anonOf(i)
			if e.Name == event.OrderCompleted {
				e.Props = event.Object(strings.Replace(string(e.Props), someOrder, fmt.Sprintf("past-%07d-%05d", i, k), 1))
			}
			list = append(list, e)
		}
		return append(list, agreed(i, begin))
	}
}

// known says who a customer is.
func known(i int, at event.Time) event.Event {
	country := []string{"GB", "GB", "GB", "DE", "FR", "IE"}[i%6]
	return event.Event{
		ID: event.ID(fmt.Sprintf("known-%07d", i)), Type: event.Identify, User: userOf(i), At: at, Raw: at, Origin: event.Import, Trust: event.Server, Source: "crm",
		Traits: new(event.Builder).SetText("email", emailOf(i)).SetText("first_name", "Ada").SetText("last_name", "Example").SetText("country", country).Object(),
	}
}

// agreed says that a customer agreed to e-mail.
func agreed(i int, at event.Time) event.Event {
	return event.Event{
		ID: event.ID(fmt.Sprintf("agreed-%07d", i)), Type: event.Track, Name: event.ConsentChanged, User: userOf(i), At: at, Raw: at, Origin: event.Import, Trust: event.Server, Source: "crm",
		Props: new(event.Builder).SetText("channel", "email").SetText("purpose", "marketing").SetText("state", "granted").SetText("evidence", "bench").Object(),
	}
}

// settled reports whether everything in the log is applied and committed.
func (c *crowd) settled(ctx context.Context) (bool, error) {
	if err := c.e.Err(); err != nil {
		return false, err
	}
	last, err := c.log.Last(ctx, 0)
	if err != nil {
		return false, err
	}
	at, err := c.store.Position(ctx, 0)
	return at.Seq >= last.Seq, err
}

// waitSettled waits until it is.
func (c *crowd) waitSettled(ctx context.Context) error {
	for {
		done, err := c.settled(ctx)
		if done || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(2 * time.Millisecond):
		}
	}
}
