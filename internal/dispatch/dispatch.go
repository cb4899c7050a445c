// Package dispatch carries deliveries to people: it offers slots to deliveries
// that are due, hands over what the gate has claimed, and tells the log what
// became of each.
//
// Exactly once is made of four durable steps, each with one writer:
//
//	planned   the engine, with the decision that allowed it
//	claimed   the engine, when the gate was asked again on a slot
//	started   dispatch, in its own ledger, in the transaction that reads the
//	          suppressions, right before the first byte leaves
//	outcome   a receipt in the log, noted in the ledger until it is there
//
// A process that dies after claimed and before started has sent nothing: the
// delivery gets a new slot. One that dies after started cannot know: the outcome
// is unknown, marketing is never sent again, and the report says how many. Only a
// provider's own word that it took nothing lets marketing be started twice.
package dispatch

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"rapport/internal/channels"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
	"rapport/internal/engine"
	"rapport/internal/killpoint"
	"rapport/internal/store"
)

// Renderer makes the message of a claim, with the customer as the gate saw them.
// An error means that the message cannot be worded for this person: it is not
// sent, and the others of its batch go on.
type Renderer func(c *engine.Claim, now event.Time) (channels.Message, error)

// Options are what dispatch is made of.
type Options struct {
	Store    store.Store
	Ledger   store.Ledger
	Channels map[string]channels.Channel // by the name of the channel
	Render   Renderer
	Append   func(ctx context.Context, entries []identity.Addressed) error
	Subject  func(channel, address string) [16]byte // keyed hash of an address
	Now      func() event.Time
	// Pace returns how long a message must wait for its sender's sake, and why; zero
	// lets it go. It decides when, never who. Default: nil, nothing waits.
	Pace func(m *channels.Message) (time.Duration, string)
	// Virtual: nothing moves by itself, and receipts wait for Receipts.
	Virtual bool
	// Workers is how many batches are handed over at once. Default: 4.
	Workers int
	// Batch is how many messages one worker hands over at once. Default: 64.
	Batch int
	// InFlight is how many deliveries may be offered and not answered: what can be
	// handed over in about half a second. Default: 2,000.
	InFlight int
	Log      *slog.Logger
}

const (
	defaultWorkers  = 4
	defaultBatch    = 64
	defaultInFlight = 2_000
	// offerTimeout is when an offer without an answer is made again.
	offerTimeout = 15 * time.Second
	// lapseEvery is how often claims are looked for that nobody holds. It bounds
	// how long such a delivery is late beyond its deadline; the look costs one
	// question about as many rows as are in flight.
	lapseEvery = 5 * time.Second
	// offerPause is how long dispatch waits before it looks for more while most of
	// what may be in flight is: the look costs a question about as many rows, and a
	// worker is done with a batch every few milliseconds. Not to look before only half
	// is in flight was tried: it reads less, and nothing goes faster.
	offerPause = 50 * time.Millisecond
	// atOnce bounds the slots and receipts of one append, each of which waits for
	// the disk: some hundred kilobytes.
	atOnce = 2_000
)

// Dispatch hands deliveries over.
type Dispatch struct {
	o    Options
	log  *slog.Logger
	wake chan struct{}
	work chan engine.Claim

	service chan engine.Claim // claims of service messages, which pass the others by

	mu       sync.Mutex
	offered  map[profile.DeliveryID]offer // slots that the gate has not answered
	held     map[profile.DeliveryID]hold  // claims that wait here or are being handed over
	stops    []engine.Stop                // claims to be stopped if they have not begun
	put      putOff
	looked   time.Time // when Offer last asked the store
	flight   int       // how many may be in flight now: InFlight, or more for a fast channel
	finished int       // deliveries handed over since measured
	measured time.Time
	claims   []engine.Claim       // virtual: waiting for Deliver
	receipts []identity.Addressed // virtual: waiting for Receipts
}

// offer is a slot on its way through the log.
type offer struct {
	at      time.Time
	service bool
	gone    time.Time // since when the delivery is no longer due; zero: it is
}

// hold is the newest claim of a delivery that is here.
type hold struct {
	fence   uint64
	begun   bool // it is being handed over
	stopped bool // it was recalled after that, and does not begin if it is not too late
	service bool
}

// New returns a dispatch that does nothing before Run or Deliver.
func New(o Options) *Dispatch {
	if o.Workers <= 0 {
		o.Workers = defaultWorkers
	}
	if o.Batch <= 0 {
		o.Batch = defaultBatch
	}
	if o.InFlight <= 0 {
		o.InFlight = defaultInFlight
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Dispatch{
		o: o, log: o.Log, wake: make(chan struct{}, 1), work: make(chan engine.Claim, 2*maxFlight*o.InFlight), flight: o.InFlight, measured: time.Now(),
		service: make(chan engine.Claim, 4*serviceInFlight),
		offered: map[profile.DeliveryID]offer{}, held: map[profile.DeliveryID]hold{}, put: putOff{},
	}
}

// Wake tells dispatch that deliveries were planned. It does not block.
func (d *Dispatch) Wake() {
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

// Claimed takes deliveries that may be handed over. It does not block: a claim
// that finds no room is lost on purpose and gets a new slot after its deadline.
// So is one of a delivery that is being handed over under an earlier claim; if
// the earlier one still waits, the newer takes its place.
func (d *Dispatch) Claimed(claims []engine.Claim) {
	killpoint.Hit(killpoint.AfterClaim)
	d.mu.Lock()
	defer d.mu.Unlock()
	for i := range claims {
		del := &claims[i].Delivery
		delete(d.offered, del.ID)
		if h, held := d.held[del.ID]; held && (h.begun || h.fence >= del.Fence) {
			continue
		}
		if d.o.Virtual {
			d.held[del.ID] = hold{fence: del.Fence}
			d.claims = append(d.claims, claims[i])
			continue
		}
		select {
		case d.queue(&claims[i]) <- claims[i]:
			d.held[del.ID] = hold{fence: del.Fence, service: del.Class == profile.Service}
		default:
			delete(d.held, del.ID) // nor is an earlier claim worth anything now
			d.log.Warn("a claim found no room and will be offered again", "delivery", del.ID)
		}
	}
}

// begin takes claims to be handed over now, and returns those that no newer
// claim has replaced.
func (d *Dispatch) begin(claims []engine.Claim) []engine.Claim {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.DeleteFunc(claims, func(c engine.Claim) bool {
		h, held := d.held[c.Delivery.ID]
		if !held || h.begun || h.fence != c.Delivery.Fence {
			return true
		}
		h.begun = true
		d.held[c.Delivery.ID] = h
		return false
	})
}

// release forgets claims that were handed over or left to lapse.
func (d *Dispatch) release(claims []engine.Claim) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i := range claims {
		delete(d.held, claims[i].Delivery.ID)
	}
	if d.o.Virtual {
		return // how fast the machine is must not show in the log
	}
	d.finished += len(claims)
	if took := time.Since(d.measured); took >= measureEvery {
		rate := float64(d.finished) / took.Seconds()
		d.flight = min(max(int(rate*ahead.Seconds()), d.o.InFlight), maxFlight*d.o.InFlight)
		d.finished, d.measured = 0, time.Now()
	}
}

const (
	// ahead is how far ahead claims may be made: what is claimed was asked of the
	// gate, and the answer should be fresh when it is handed over.
	ahead = 500 * time.Millisecond
	// measureEvery is how often it is measured how many that is.
	measureEvery = time.Second
	// maxFlight bounds what may be in flight, as a multiple of InFlight.
	maxFlight = 4
)

// Run offers and hands over until ctx ends. What is being handed over then is
// finished and its receipts appended.
func (d *Dispatch) Run(ctx context.Context) error {
	var workers, tellers sync.WaitGroup
	told := make(chan handed, d.o.Workers)
	for range tellerCount {
		tellers.Go(func() { d.teller(ctx, told) })
	}
	defer tellers.Wait()
	defer close(told)
	for range d.o.Workers {
		workers.Go(func() { d.worker(ctx, d.work, told) })
	}
	for range serviceWorkers {
		workers.Go(func() { d.worker(ctx, d.service, told) })
	}
	defer workers.Wait()
	lapse := time.NewTicker(lapseEvery)
	defer lapse.Stop()
	for pause := time.Duration(0); ; {
		select {
		case <-ctx.Done():
			return nil
		case <-lapse.C:
			if _, err := d.OfferLapsed(ctx); err != nil && ctx.Err() == nil {
				d.log.Error("offering slots anew", "error", err)
			}
		case <-d.wake:
		case <-time.After(pause):
		}
		d.answerStops(ctx)
		if pause = d.busy(); pause > 0 {
			continue
		}
		n, err := d.Offer(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			d.log.Error("offering slots", "error", err)
			pause = time.Second
		case n > 0:
			pause = time.Millisecond
		default:
			pause = d.quiet(ctx)
		}
	}
}

// busy returns how long there is no sense in looking for what is due, because
// nearly as much as may be is on its way; zero: look now.
func (d *Dispatch) busy() time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.held)+len(d.offered) < d.flight*3/4 {
		return 0
	}
	return max(offerPause-time.Since(d.looked), 0)
}

// quiet returns how long nothing will be due.
func (d *Dispatch) quiet(ctx context.Context) time.Duration {
	next, err := d.o.Store.NextDelivery(ctx)
	if err != nil || next == event.Never {
		return time.Second
	}
	return min(max(next.Sub(d.o.Now()), 5*time.Millisecond), time.Second)
}

// Offer gives slots to deliveries that are due, the most urgent first, and
// returns to how many. A slot is an entry in the log: the gate answers it there.
func (d *Dispatch) Offer(ctx context.Context) (int, error) {
	now, clock := d.o.Now(), time.Now()
	d.mu.Lock()
	room, service := d.room()
	d.looked = clock
	d.mu.Unlock()
	due, err := d.due(ctx, now, room, service)
	if err != nil {
		return 0, err
	}
	var slots []identity.Addressed
	d.mu.Lock()
	waiting := d.stillOffered(due, clock)
	for _, o := range waiting { // order does not matter: counted
		if o.service {
			service--
		} else {
			room--
		}
	}
	for i := range due {
		_, known := waiting[due[i].ID]
		_, held := d.held[due[i].ID]
		left := &room
		if urgent(&due[i]) {
			left = &service
		}
		if known || held || *left <= 0 {
			continue
		}
		if *left--; !d.o.Virtual {
			waiting[due[i].ID] = offer{at: clock, service: urgent(&due[i])}
		}
		slots = append(slots, slot(due[i], now, false))
	}
	d.offered = waiting
	d.mu.Unlock()
	return len(slots), d.append(ctx, slots)
}

// answerGrace is how long an offered delivery that is no longer due counts as on
// its way. It was claimed, put off or dropped; of a claim we hear right after its
// commit, of the others never.
const answerGrace = 100 * time.Millisecond

// stillOffered returns the offers without an answer. What more urgent deliveries
// have pushed out of due is offered once more in its turn, which the gate sees
// through. The lock is held.
func (d *Dispatch) stillOffered(due []store.Ref, clock time.Time) map[profile.DeliveryID]offer {
	waiting := make(map[profile.DeliveryID]offer, len(d.offered))
	for i := range due {
		if o, ok := d.offered[due[i].ID]; ok && clock.Sub(o.at) <= offerTimeout {
			waiting[due[i].ID] = offer{at: o.at, service: o.service}
		}
	}
	for id, o := range d.offered {
		if o.gone.IsZero() {
			o.gone = clock
		}
		if _, due := waiting[id]; !due && clock.Sub(o.gone) <= answerGrace && clock.Sub(o.at) <= offerTimeout {
			waiting[id] = o
		}
	}
	return waiting
}

// OfferLapsed gives new slots to claims whose deadline has passed and that nobody
// here holds: no room was found for them, the ledger could not be written, the
// clock jumped, or their commit was heard of by nobody. Whether they were begun
// by somebody else only the ledger knows, at the next Start. It returns how many
// there were.
func (d *Dispatch) OfferLapsed(ctx context.Context) (int, error) {
	now := d.o.Now()
	d.mu.Lock()
	d.put.forget(now)
	d.mu.Unlock()
	var slots []identity.Addressed
	for after := (profile.DeliveryID{}); ; {
		refs, err := d.o.Store.InState(ctx, profile.Claimed, after, recoverBatch)
		if err != nil {
			return 0, err
		}
		d.mu.Lock()
		for i := range refs {
			after = refs[i].ID
			if _, held := d.held[refs[i].ID]; !held && now > refs[i].Deadline {
				slots = append(slots, slot(refs[i], now, false))
			}
		}
		d.mu.Unlock()
		if len(refs) < recoverBatch {
			break
		}
	}
	if len(slots) > 0 {
		d.log.Warn("claims lapsed before they were handed over and are offered again", "deliveries", len(slots))
	}
	return len(slots), d.append(ctx, slots)
}

func slot(ref store.Ref, now event.Time, lost bool) identity.Addressed {
	var b event.Builder
	b.Set("delivery", event.Text(ref.ID.String()))
	if lost {
		b.Set("lost", event.Yes(true))
	}
	id := "slot:" + ref.ID.String() + ":" + strconv.FormatUint(ref.Fence, 36) + ":" + strconv.FormatInt(int64(now), 36)
	return identity.Addressed{To: ref.Profile, Event: event.Event{
		ID: event.ID(id), Type: event.System, Name: event.Slot, At: now, Trust: event.Own, Source: "dispatch", Props: b.Object(),
	}}
}

func (d *Dispatch) append(ctx context.Context, entries []identity.Addressed) error {
	for len(entries) > 0 {
		n := min(len(entries), atOnce)
		if err := d.o.Append(ctx, entries[:n]); err != nil {
			return err
		}
		entries = entries[n:]
	}
	return nil
}

// worker hands over what is claimed, as many at once as have come.
func (d *Dispatch) worker(ctx context.Context, work <-chan engine.Claim, told chan<- handed) {
	for {
		var batch []engine.Claim
		select {
		case <-ctx.Done():
			return
		case c := <-work:
			batch = append(batch, c)
		}
	more:
		for len(batch) < d.o.Batch {
			select {
			case c := <-work:
				batch = append(batch, c)
			default:
				break more
			}
		}
		batch = d.begin(batch)
		receipts := d.handOver(context.WithoutCancel(ctx), batch)
		told <- handed{batch, receipts}
	}
}

// Deliver hands over everything that is claimed and keeps the receipts for
// Receipts. It is how messages leave under a virtual clock. It returns how many
// claims there were.
func (d *Dispatch) Deliver(ctx context.Context) (int, error) {
	d.mu.Lock()
	claims := d.claims
	d.claims = nil
	d.mu.Unlock()
	if err := d.keepStops(ctx); err != nil {
		return 0, err
	}
	if claims = d.begin(claims); len(claims) == 0 {
		return 0, nil
	}
	// One after the other, those of one address: see twins.
	first, second := d.twins(claims)
	d.deliver(ctx, first)
	for i := range second {
		d.deliver(ctx, second[i:i+1])
	}
	d.release(claims)
	return len(claims), nil
}

// deliver hands claims over side by side.
func (d *Dispatch) deliver(ctx context.Context, claims []engine.Claim) {
	var done sync.WaitGroup
	per := min(max((len(claims)+d.o.Workers-1)/d.o.Workers, 1), d.o.Batch)
	room := make(chan struct{}, d.o.Workers)
	for part := range slices.Chunk(claims, per) {
		done.Add(1)
		room <- struct{}{}
		go func() {
			defer func() { <-room; done.Done() }()
			receipts := d.handOver(ctx, part)
			d.note(ctx, receipts)
			d.mu.Lock()
			d.receipts = append(d.receipts, receipts...)
			d.mu.Unlock()
		}()
	}
	done.Wait()
}

// Receipts appends the receipts that Deliver kept in earlier steps, by instant
// and delivery, so that one seed gives one log. The caller has moved the clock on.
func (d *Dispatch) Receipts(ctx context.Context) (int, error) {
	now := d.o.Now()
	var due, later []identity.Addressed
	d.mu.Lock()
	for _, r := range d.receipts {
		if r.Event.At < now {
			due = append(due, r)
		} else {
			later = append(later, r)
		}
	}
	d.receipts = later
	d.mu.Unlock()
	slices.SortFunc(due, func(a, b identity.Addressed) int {
		return cmp.Or(cmp.Compare(a.Event.At, b.Event.At), strings.Compare(string(a.Event.ID), string(b.Event.ID)))
	})
	if len(due) == 0 {
		return 0, nil
	}
	killpoint.Hit(killpoint.BeforeOutcome)
	if err := d.append(ctx, due); err != nil {
		return 0, err
	}
	return len(due), d.finish(ctx, due)
}

// Waiting reports how many receipts wait for Receipts.
func (d *Dispatch) Waiting() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.receipts)
}
