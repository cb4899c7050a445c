package bench

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/wire"
	"rapport/internal/eventlog"
	"rapport/internal/fault"
)

// The identifiers of customers have one length, so that an encoded event can be
// made another customer's by copying over it.
func userOf(i int) string  { return fmt.Sprintf("u%07d", i) }
func anonOf(i int) string  { return fmt.Sprintf("device-%025d", i) }
func emailOf(i int) string { return fmt.Sprintf("u%07d@bench.example", i) }

const (
	// shapes is how many different events there are before customer, id and time are
	// put in.
	shapes = 4096
	// maxCustomers is how many customers the seven digits of an id can name.
	maxCustomers = 10_000_000
)

// Stand-ins that no other text of an event contains.
const (
	someID    = "\x01bench-id-to-be-replaced-here"
	someUser  = "\x01user###"
	someAnon  = "\x01device-to-be-replaced-right-her"
	someOrder = "\x01order-number-here"
)

// purchase is what a shop's pages say of a product.
func purchase(dice *rand.Rand) event.Object {
	sku := dice.IntN(5000)
	var b event.Builder
	b.SetText("product_id", fmt.Sprintf("p%04d", sku)).SetText("sku", fmt.Sprintf("SKU-%04d", sku)).SetText("category", categories[sku%len(categories)])
	b.SetText("name", fmt.Sprintf("Product number %d", sku)).SetText("brand", "Acme").SetText("variant", "42")
	b.Set("price", event.Num(float64(5+sku%90)+0.99)).Set("quantity", event.Int(1)).SetText("currency", "GBP").Set("position", event.Int(int64(1+sku%20)))
	b.SetText("url", fmt.Sprintf("https://shop.example/p/%d", sku))
	return b.Object()
}

// happening makes an event as a shop's pages send it: mostly looks at products,
// seldom an order.
func happening(dice *rand.Rand) event.Event {
	e := event.Event{Type: event.Track, Trust: event.Server, Source: "web"}
	var c event.Builder
	device := "mobile"
	if dice.IntN(3) == 0 {
		device = "desktop"
	}
	c.Set("library", event.Nested(new(event.Builder).SetText("name", "analytics.js").SetText("version", "3.1.0").Object()))
	c.Set("page", event.Nested(new(event.Builder).SetText("path", "/boots/trail").SetText("url", "https://shop.example/boots/trail").SetText("title", "Trail boots").Object()))
	c.Set("device", event.Nested(new(event.Builder).SetText("type", device).Object())).SetText("locale", "en-GB")
	e.Context = c.Object()
	switch chance := dice.IntN(100); {
	case chance < 72:
		e.Name, e.Props = event.ProductViewed, purchase(dice)
	case chance < 80:
		e.Name = event.ListViewed
		e.Props = new(event.Builder).SetText("list_id", "new").SetText("category", categories[dice.IntN(len(categories))]).Object()
	case chance < 87:
		e.Type, e.Name = event.Page, event.PageViewed
		e.Props = new(event.Builder).SetText("path", "/about").SetText("title", "About us").Object()
	case chance < 97:
		e.Name, e.Props = event.ProductAdded, purchase(dice)
	default:
		e.Name = event.OrderCompleted
		var lines []event.Value
		for range 1 + dice.IntN(4) {
			lines = append(lines, event.Nested(purchase(dice)))
		}
		e.Props = new(event.Builder).SetText("order_id", someOrder).SetText("currency", "GBP").Set("products", event.ListOf(lines...)).Object()
	}
	return e
}

// shape is an encoded entry with the places of what differs; −1: it has none.
type shape struct {
	body                    []byte
	id, user, anon, at, ord int
}

// load makes encoded entries at the cost of a copy, so that making them is hardly
// in the measure.
type load struct {
	homes  []identity.ID // of the customers' user ids
	shapes []shape
	ids    atomic.Uint64
	run    uint64 // part of every id: no two runs on one state repeat one
}

func newLoad(homes []identity.ID, seed uint64) (*load, error) {
	l := &load{homes: homes, run: seed}
	dice := rand.New(rand.NewPCG(seed, 2))
	now := wall()
	for range shapes {
		e := happening(dice)
		e.ID, e.User, e.Anon, e.At, e.Raw = someID, someUser, someAnon, now, now
		a := identity.Addressed{Event: e}
		s := shape{body: a.Append(nil)}
		s.id, s.user = bytes.Index(s.body, []byte(someID)), bytes.Index(s.body, []byte(someUser))
		s.anon, s.ord = bytes.Index(s.body, []byte(someAnon)), bytes.Index(s.body, []byte(someOrder))
		s.at = s.anon + len(someAnon)
		v, _ := binary.Varint(s.body[s.at:])
		if s.id < 0 || s.user < 0 || s.anon < 0 || v != int64(now) {
			return nil, fault.New(fault.Internal, "the encoding of events is not as the bench thinks")
		}
		l.shapes = append(l.shapes, s)
	}
	return l, nil
}

// write appends an event of the customer to dst.
func (l *load) write(dst []byte, customer int, s *shape, now event.Time) []byte {
	from := len(dst)
	dst = append(dst, s.body...)
	b := dst[from:]
	copy(b, l.homes[customer][:])
	n := l.ids.Add(1)
	digits(b[s.id:s.id+len(someID)], l.run*1_000_000_000_000+n)
	b[s.user] = 'u'
	digits(b[s.user+1:s.user+8], uint64(customer))
	copy(b[s.anon:], "device-")
	digits(b[s.anon+7:s.anon+32], uint64(customer))
	wire.Varint(b[s.at:s.at], int64(now)) // in place: as long as it was until the year 2039
	if s.ord >= 0 {
		digits(b[s.ord:s.ord+len(someOrder)], n)
	}
	return dst
}

// digits writes n into b, filled up with zeros.
func digits(b []byte, n uint64) {
	for i := len(b) - 1; i >= 0; i-- {
		b[i] = byte('0' + n%10)
		n /= 10
	}
}

// draw says whose event comes next.
type draw func() int

// zipf draws customers as visits are: a few come often, most seldom.
func zipf(seed uint64, customers int) draw {
	z := rand.NewZipf(rand.New(rand.NewPCG(seed, 3)), 1.07, 1, uint64(customers-1))
	// 7919 is prime: neighbours in rank are not neighbours in any order that the
	// store keeps.
	return func() int { return int(z.Uint64()*7919) % customers }
}

// uniform draws every customer alike: what a cache likes least.
func uniform(seed uint64, customers int) draw {
	dice := rand.New(rand.NewPCG(seed, 4))
	return func() int { return dice.IntN(customers) }
}

// feed appends events until ctx ends. Rate is events a second; 0 is as many as the
// reader takes: at most lead events are appended that may() does not allow.
type feed struct {
	l        *load
	log      *eventlog.Appender
	now      func() event.Time
	rate     int
	writers  int
	draw     func(seed uint64, customers int) draw
	may      func() bool // nil: always
	appended atomic.Int64
}

const (
	// feedBatch is how many events one call appends: what a busy edge hands over.
	feedBatch = 200
	// feedTick is how often a paced feed appends.
	feedTick = 5 * time.Millisecond
)

func (f *feed) run(ctx context.Context) error {
	errs := make([]error, max(f.writers, 1))
	var group sync.WaitGroup
	for w := range errs {
		group.Go(func() { errs[w] = f.write(ctx, uint64(w)) })
	}
	group.Wait()
	return errors.Join(errs...)
}

func (f *feed) write(ctx context.Context, writer uint64) error {
	next := f.draw(f.l.run*31+writer, len(f.l.homes))
	dice := rand.New(rand.NewPCG(writer, f.l.run))
	var buf []byte
	items := make([][]byte, 0, feedBatch)
	began, sent := time.Now(), 0
	for ctx.Err() == nil {
		n := feedBatch
		if f.rate > 0 {
			time.Sleep(feedTick)
			n = min(int(time.Since(began).Seconds()*float64(f.rate))/max(f.writers, 1)-sent, feedBatch)
		} else if f.may != nil && !f.may() {
			time.Sleep(200 * time.Microsecond)
			continue
		}
		now := f.now()
		buf, items = buf[:0], items[:0]
		if cap(buf) < n*2048 {
			buf = make([]byte, 0, feedBatch*2048)
		}
		for range n {
			from := len(buf)
			buf = f.l.write(buf, next(), &f.l.shapes[dice.IntN(shapes)], now)
			items = append(items, buf[from:len(buf):len(buf)])
		}
		if len(items) == 0 {
			continue
		}
		// Not ctx: what was counted as appended must be in the log.
		if err := f.log.Add(context.WithoutCancel(ctx), items); err != nil {
			return err
		}
		sent += n
		f.appended.Add(int64(n))
	}
	return nil
}
