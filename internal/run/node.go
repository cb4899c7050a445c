// Package run puts the parts together: log, store, engine, dispatch, tracking
// API and pages become one node. It knows ports, never adapters: those are
// picked in cmd/rapport, and by tests.
package run

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"hash"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"rapport/internal/channels"
	"rapport/internal/clock"
	"rapport/internal/core"
	"rapport/internal/core/condition"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
	"rapport/internal/dispatch"
	"rapport/internal/engine"
	"rapport/internal/erase"
	"rapport/internal/eventlog"
	"rapport/internal/fault"
	"rapport/internal/intake"
	"rapport/internal/program"
	"rapport/internal/store"
)

// Options are what a node is made of.
type Options struct {
	Log       eventlog.Log
	Store     store.Store
	Ledger    store.Ledger
	Channels  map[string]channels.Channel
	Workspace string
	Key       identity.Key
	Clock     *clock.Clock
	Links     program.Links // makes the signed links in messages
	OwnCopy   string        // the page to which links of a message shown in the browser lead
	Logger    *slog.Logger
	Products  program.Products // the catalogue that messages ask. Default: none, they show what the events said
	// CacheBytes is how much memory customers may take. Default: the engine's own.
	CacheBytes int64
	Standing   Standing                                          // hears what is told of sending domains; nil: nobody does
	Pace       func(m *channels.Message) (time.Duration, string) // see dispatch.Options
	// Erasures is who was erased. Default: a list that ends with the process.
	Erasures *erase.List
	// Forget are the keepers of messages outside of store and log.
	Forget []Forget
	// Heard is told of customers' events once they are durable, before they are
	// acknowledged; Gone of the profiles of people who were erased. Default: nobody is.
	Heard func([]identity.Addressed)
	Gone  func(...identity.ID)
	// Known says what definitions may name outside of themselves. Default: they are not
	// asked.
	Known func(context.Context) *condition.Known
	// Refused is told of what failed the checks at the edge. Default: nobody is.
	Refused func([]intake.Reject)
	// Tables is what is learnt from the feed. Default: nothing is.
	Tables Tables
	// Clean are the keepers of what is indexed by customer outside of store and log.
	Clean []Clean
	// NoSending: nothing is handed over. For audits of a data directory.
	NoSending bool
}

// Node is one process's share of the product: all lanes of one workspace.
type Node struct {
	o        Options
	log      *slog.Logger
	Engine   *engine.Engine
	Dispatch *dispatch.Dispatch
	Told     Notices // what was told of messages after they were accepted

	erasures *erase.List
	late     atomic.Int64
	started  atomic.Bool
	hashes   sync.Pool // of Subject: each message asks for one or two

	mu       sync.Mutex
	programs map[uint64]*program.Program

	campaigns sync.Mutex    // one order at a time: each has a number of its own
	walk      chan struct{} // wakes walkCampaigns

	stop context.CancelFunc
	done sync.WaitGroup
}

// Open puts a node together. Nothing moves before Start or, under a virtual
// clock, Settle.
func Open(ctx context.Context, o Options) (*Node, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	n := &Node{o: o, log: o.Logger, programs: map[uint64]*program.Program{}, erasures: o.Erasures, walk: make(chan struct{}, 1)}
	if n.erasures == nil {
		n.erasures = &erase.List{}
	}
	n.Dispatch = dispatch.New(dispatch.Options{
		Store: o.Store, Ledger: o.Ledger, Channels: o.Channels, Render: n.render, Subject: n.Subject,
		Append: func(ctx context.Context, entries []identity.Addressed) error { return n.Engine.Append(ctx, entries) },
		Now:    func() event.Time { return n.Engine.Now() }, Virtual: o.Clock.Virtual(), Log: o.Logger, Pace: o.Pace,
	})
	e, err := engine.Open(ctx, engine.Options{
		Log: o.Log, Store: o.Store, Key: o.Key, Now: o.Clock.Now, Virtual: o.Clock.Virtual(), Logger: o.Logger, CacheBytes: o.CacheBytes,
		Programs: func(ctx context.Context, hash uint64) (*core.Program, error) {
			p, err := n.program(ctx, hash)
			if err != nil {
				return nil, err
			}
			return p.Core, nil
		},
		OnClaims: n.Dispatch.Claimed, OnStops: n.Dispatch.Unwanted, OnPlanned: n.Dispatch.Wake, OnGrants: n.granted, OnErased: n.erased,
	})
	if err != nil {
		return nil, err
	}
	n.Engine = e
	return n, nil
}

// Program returns the program in force; nil before the first.
func (n *Node) Program(ctx context.Context) (*program.Program, error) {
	p := n.Engine.Program()
	if p == nil {
		return nil, nil
	}
	return n.program(ctx, p.Hash)
}

func (n *Node) render(c *engine.Claim, now event.Time) (channels.Message, error) {
	p, err := n.program(context.Background(), c.Program.Hash)
	if err != nil {
		return channels.Message{}, err
	}
	return p.Render(&c.Delivery, c.Profile, now, n.o.Links)
}

// Subject is the keyed hash under which an address is suppressed: no address
// stands in the ledger.
func (n *Node) Subject(channel, address string) (s [16]byte) {
	h, _ := n.hashes.Get().(hash.Hash)
	if h == nil {
		h = hmac.New(sha256.New, n.o.Key[:])
	}
	defer n.hashes.Put(h)
	h.Reset()
	h.Write([]byte("address\x00" + channel + "\x00" + spelling(channel, address)))
	copy(s[:], h.Sum(nil))
	return s
}

// Start lets a node under the clock on the wall run until Close. What is sent to
// it is taken at once. Sending begins when everything that is in the log already
// is applied and what a process before it left behind is finished.
func (n *Node) Start(ctx context.Context) error {
	n.Engine.Start()
	n.started.Store(true)
	if n.o.NoSending {
		return nil
	}
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	n.stop = stop
	n.done.Go(func() { n.walkCampaigns(running) })
	n.done.Go(func() {
		if !n.recover(running) {
			return
		}
		if err := n.Dispatch.Run(running); err != nil {
			n.log.Error("dispatch stopped", "error", err)
		}
	})
	return nil
}

// recoverPause is how long to wait before what was left behind is looked at
// again, after the log or the ledger could not be used.
const recoverPause = time.Second

// recover finishes what was left behind, and reports whether sending may begin.
// A log or a ledger that cannot be used now holds back the messages and nothing
// else.
func (n *Node) recover(ctx context.Context) bool {
	for {
		err := n.Engine.CaughtUp(ctx)
		var r dispatch.Recovered
		if err == nil {
			r, err = n.Dispatch.Recover(ctx)
		}
		if r != (dispatch.Recovered{}) {
			n.log.Warn("found messages that were on their way", "told", r.Told, "unknown", r.Unknown, "again", r.Again, "lost", r.Lost)
		}
		switch {
		case ctx.Err() != nil, n.Engine.Err() != nil:
			return false
		case err == nil:
			return true
		}
		n.log.Error("nothing is sent before what was begun earlier is finished", "error", err)
		select {
		case <-ctx.Done():
			return false
		case <-time.After(recoverPause):
		}
	}
}

// Close ends in order: what is being handed over is finished, what was accepted
// is applied and committed.
func (n *Node) Close(ctx context.Context) error {
	if n.stop != nil {
		n.stop()
		n.done.Wait()
	}
	return n.Engine.Close(ctx)
}

// Hear takes events that are durable when it returns.
func (n *Node) Hear(ctx context.Context, events []event.Event) error {
	entries := make([]identity.Addressed, 0, len(events))
	for _, e := range events {
		if a, ok := n.o.Key.Address(e); ok {
			entries = append(entries, a)
		}
	}
	return n.append(ctx, n.remembered(entries))
}

// HearOf takes events about a profile known by its id: clicks, unsubscribes,
// changes of preference.
func (n *Node) HearOf(ctx context.Context, id identity.ID, events []event.Event) error {
	entries := make([]identity.Addressed, len(events))
	for i, e := range events {
		entries[i] = identity.Addressed{To: id, Event: e}
	}
	return n.append(ctx, n.remembered(entries))
}

// Take is where the tracking API leaves what it has checked.
func (n *Node) Take(ctx context.Context, events []intake.Addressed) error {
	if n.Engine.Program() == nil {
		return errNoProgram
	}
	entries := make([]identity.Addressed, len(events))
	for i := range events {
		entries[i] = identity.Addressed{To: events[i].To, Event: events[i].Event}
	}
	return n.append(ctx, n.remembered(entries))
}

// maxBody bounds what is kept of an event that was rejected: what most events have
// whole, so that they can be mended.
const maxBody = 16 << 10

// Quarantine puts aside what failed the checks at the edge, through the log like
// everything that is remembered.
func (n *Node) Quarantine(ctx context.Context, rejects []intake.Reject) error {
	now := n.o.Clock.Now()
	entries := make([]identity.Addressed, len(rejects))
	for i := range rejects {
		r := &rejects[i]
		var b event.Builder
		b.SetText("reason", r.Reason).SetText("field", r.Field).SetText("messageId", r.MessageID)
		b.SetText("body", strings.ToValidUTF8(string(r.Raw[:min(len(r.Raw), maxBody)]), "")).SetText("source", r.From.Source)
		b.SetText("type", typeWord(r.From.Type)).SetText("trust", trustWord(r.From.Trust)).SetText("origin", r.From.Origin.String())
		entries[i] = identity.Addressed{Event: event.Event{
			ID: event.ID("reject:" + strconv.FormatInt(int64(now), 36) + ":" + strconv.Itoa(i)), Type: event.System, Name: event.Reject,
			At: now, Trust: event.Own, Source: "intake", Props: b.Object(),
		}}
	}
	if n.o.Refused != nil {
		n.o.Refused(rejects)
	}
	return n.Engine.Append(ctx, entries)
}

// Suppress stops messages to a person and to the address that the delivery went
// to. It is durable when it returns, before anything else hears of it.
func (n *Node) Suppress(ctx context.Context, id identity.ID, channel, purpose, reason, by string) error {
	now := n.o.Clock.Now()
	s := store.Suppression{Subject: id, Channel: channel, Purpose: purpose, Reason: reason, At: now, By: by}
	if err := n.o.Ledger.Suppress(ctx, s); err != nil {
		return err
	}
	p, err := n.Engine.Profile(ctx, id)
	if fault.Is(err, fault.Corrupt) {
		// Nobody can tell their address, and nothing is sent to them. That they want
		// nothing is kept, and must not look like a failure to them.
		n.log.Error("a customer whose row is damaged has unsubscribed: the address is not suppressed", "profile", id, "error", err)
		return nil
	}
	if err != nil || p == nil {
		return err
	}
	if p.ID != id {
		s.Subject = p.ID
		if err := n.o.Ledger.Suppress(ctx, s); err != nil {
			return err
		}
	}
	if address := p.Address(channel); address != "" {
		s.Subject = n.Subject(channel, address)
		return n.o.Ledger.Suppress(ctx, s)
	}
	return nil
}

// Release takes back what a person unsubscribed from at or before the instant,
// after they asked for messages again.
func (n *Node) Release(ctx context.Context, id identity.ID, channel, purpose string, until event.Time) error {
	err := n.o.Ledger.Release(ctx, id, channel, purpose, until)
	p, perr := n.Engine.Profile(ctx, id)
	if perr != nil || p == nil {
		return errors.Join(err, perr)
	}
	return errors.Join(err, n.release(ctx, p, channel, purpose, until))
}

func (n *Node) release(ctx context.Context, p *profile.Profile, channel, purpose string, until event.Time) error {
	subjects := [][16]byte{p.ID}
	for _, s := range p.Strands {
		subjects = append(subjects, s)
	}
	if address := p.Address(channel); address != "" {
		subjects = append(subjects, n.Subject(channel, address))
	}
	var errs []error
	for _, s := range subjects {
		// Nearly nobody who agrees has refused before, and a look costs no write.
		if _, stopped, err := n.o.Ledger.Suppressed(ctx, s, channel, purpose); err != nil || !stopped {
			errs = append(errs, err)
			continue
		}
		errs = append(errs, n.o.Ledger.Release(ctx, s, channel, purpose, until))
	}
	return errors.Join(errs...)
}

// granted follows a consent that was given elsewhere, at the till or in a form:
// what the same person unsubscribed from before no longer stands.
func (n *Node) granted(grants []engine.Grant) {
	for _, g := range grants {
		if err := n.release(context.Background(), g.Profile, g.Channel, g.Purpose, g.At); err != nil {
			n.log.Error("releasing what was unsubscribed before a new consent", "profile", g.Profile.ID, "error", err)
		}
	}
}

// Find returns the customer who is known by an identifier; nil if nobody is.
func (n *Node) Find(ctx context.Context, id identity.Identifier) (*profile.Profile, error) {
	return n.Engine.Profile(ctx, n.o.Key.Home(id))
}

// Lookup finds a customer by what a person types: a profile id, a user id, an
// e-mail address, a phone number or an anonymous id.
func (n *Node) Lookup(ctx context.Context, text string) (*profile.Profile, error) {
	if id, err := identity.ParseID(text); err == nil {
		if p, err := n.Engine.Profile(ctx, id); p != nil && p.Born != 0 || err != nil {
			return p, err
		}
	}
	for _, kind := range []identity.Kind{identity.User, identity.Email, identity.Phone, identity.Loyalty, identity.Anonymous} {
		id, ok := identity.Normal(kind, text)
		if !ok {
			continue
		}
		if p, err := n.Find(ctx, id); p != nil && p.Born != 0 || err != nil {
			return p, err
		}
	}
	return nil, fault.New(fault.NotFound, "no customer is known by "+strconv.Quote(text))
}

// Settle works until the node is quiet at the present instant of its virtual
// clock: everything heard is applied, every alarm fired, every message that is
// due handed over. Receipts wait for the next step.
func (n *Node) Settle(ctx context.Context) error {
	for {
		if err := n.Engine.Settle(ctx); err != nil {
			return err
		}
		if n.o.NoSending {
			return nil
		}
		if walked, _, err := n.Engine.Walk(ctx); err != nil {
			return err
		} else if walked > 0 {
			continue
		}
		offered, err := n.Dispatch.Offer(ctx)
		if err != nil {
			return err
		}
		if offered > 0 {
			continue
		}
		sent, err := n.Dispatch.Deliver(ctx)
		if err != nil {
			return err
		}
		if sent == 0 {
			return nil
		}
	}
}

// NextStep returns when something will happen by itself; event.Never if nothing will.
func (n *Node) NextStep(ctx context.Context) (event.Time, error) {
	next, err := n.o.Store.NextDelivery(ctx)
	if err != nil {
		return 0, err
	}
	for lane := range n.o.Log.Lanes() {
		at, err := n.Engine.NextAlarm(lane)
		if err != nil {
			return 0, err
		}
		next = min(next, at)
	}
	return min(next, n.Engine.NextWalk()), nil
}

var errNoProgram = fault.New(fault.Unavailable, "no definitions are in force yet")

// Ready reports whether the node takes what is sent to it and applies it.
func (n *Node) Ready() error {
	if err := n.Engine.Trouble(); err != nil {
		return err
	}
	if n.Engine.Program() == nil {
		return errNoProgram
	}
	return nil
}

// WaitReady waits until the node has caught up with its first program.
func (n *Node) WaitReady(ctx context.Context) error {
	for n.Engine.Program() == nil {
		if err := n.Engine.Err(); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(2 * time.Millisecond):
		}
	}
	return nil
}
