package bench

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"rapport/internal/channels"
	"rapport/internal/clock"
	"rapport/internal/core/event"
	"rapport/internal/core/profile"
	"rapport/internal/eventlog"
	"rapport/internal/fault"
	"rapport/internal/mailcatcher"
	"rapport/internal/program"
	"rapport/internal/run"
	"rapport/internal/site"
	"rapport/internal/store"
)

const (
	// patience is how long a bench waits without anything moving.
	patience = 30 * time.Second
	// keptMessages is how many messages are kept to send the channel alone.
	keptMessages = 256
	// workers and batchSize are dispatch's own defaults, for the limit.
	workers, batchSize = 4, 64
)

// dispatchBench hands planned messages over: by SMTP into a catcher on the same
// cores, and by a channel that carries nothing.
func dispatchBench(ctx context.Context, b *bench) error {
	n := b.size(60, 20_000, 100_000)
	r := &b.result
	r.Target = "≥ 5,500 messages/s by SMTP on the same cores; ≥ 8,000 by the null channel with receipts applied"
	r.Inside = "planned deliveries → slots in the log → the gate → claim committed → rendered → started in the ledger (fsynced) → SMTP → receipt in the log, applied and committed. " +
		"value ends when the last message is taken, null_… and with_receipts_… when the last receipt is committed"
	r.LimitIs = "the SMTP channel alone with the same messages into the same catcher, without log, gate and ledger"
	r.Params["messages"] = n

	sink, err := mailcatcher.New(mailcatcher.Options{Spill: filepath.Join(b.dir, "mails")})
	if err != nil {
		return err
	}
	defer func() { _ = sink.Close() }() // its file is in the folder that is removed
	if err := sink.Listen("127.0.0.1:0"); err != nil {
		return err
	}
	smtp, err := b.SMTP(sink.Addr())
	if err != nil {
		return err
	}
	defer func() { _ = smtp.Close() }() // nothing is under way any more
	kept := &recorder{Channel: smtp}
	p, err := b.plan(ctx, "smtp", n, kept)
	if err != nil {
		return err
	}
	b.say("%d messages by SMTP", n)
	var taken, applied time.Duration
	err = b.profiled("", func() (err error) {
		taken, applied, err = p.deliver(ctx, n, sink.Count)
		return err
	})
	if err = errors.Join(err, p.close(ctx)); err != nil {
		return err
	}
	if faulty := sink.Stats().Faulty; faulty > 0 {
		return fault.New(fault.Internal, fmt.Sprintf("the catcher refused %d messages", faulty))
	}
	b.say("the channel alone")
	alone, err := channelAlone(ctx, smtp, kept.messages, max(n/4, 50))
	if err != nil {
		return err
	}
	r.more(float64(n)/taken.Seconds(), alone, "messages/s")
	r.Figures["with_receipts_messages_per_s"] = float64(n) / applied.Seconds()

	if p, err = b.plan(ctx, "null", n, b.Null()); err != nil {
		return err
	}
	b.say("%d messages by the null channel", n)
	_, applied, err = p.deliver(ctx, n, nil)
	if err = errors.Join(err, p.close(ctx)); err != nil {
		return err
	}
	r.Figures["null_with_receipts_messages_per_s"] = float64(n) / applied.Seconds()
	return nil
}

// post is a node with planned messages.
type post struct {
	log    eventlog.Log
	store  store.Store
	ledger store.Ledger
	node   *run.Node
}

// openPost makes a node with a state of its own that sends by the channel. The
// caller closes it, also after an error.
func (b *bench) openPost(ctx context.Context, name string, channel channels.Channel) (p *post, err error) {
	dir := filepath.Join(b.dir, name)
	p = &post{}
	// What could not be opened is not kept: a nil of an adapter is no nil of its port.
	log, err := b.Log(ctx, filepath.Join(dir, "log"), wall)
	if err != nil {
		return p, err
	}
	p.log = log
	store, err := b.Store(ctx, dir)
	if err != nil {
		return p, err
	}
	p.store = store
	ledger, err := b.Ledger(ctx, dir)
	if err != nil {
		return p, err
	}
	p.ledger = ledger
	signer, err := site.NewSigner("https://news.shop.example", workspace, site.Key{ID: 1, Secret: [32]byte{1}})
	if err != nil {
		return p, err
	}
	p.node, err = run.Open(ctx, run.Options{
		Log: p.log, Store: p.store, Ledger: p.ledger, Channels: map[string]channels.Channel{"email": channel},
		Workspace: workspace, Key: secret, Clock: clock.Wall(), Links: signer, Logger: b.Logger,
	})
	return p, err
}

// plan makes a node in which every one of n customers has a planned message.
func (b *bench) plan(ctx context.Context, name string, n int, channel channels.Channel) (_ *post, err error) {
	p, err := b.openPost(ctx, name, channel)
	defer func() {
		if err != nil {
			err = errors.Join(err, p.close(ctx))
		}
	}()
	if err != nil {
		return nil, err
	}
	src, err := letterShop()
	if err != nil {
		return nil, err
	}
	if err := p.begin(ctx, src); err != nil {
		return nil, err
	}
	b.say("%d customers ask for a letter", n)
	now := wall()
	for from := 0; from < n; from += feedBatch {
		var events []event.Event
		for i := from; i < min(from+feedBatch, n); i++ {
			events = append(events, known(i, now), agreed(i, now), event.Event{
				ID: event.ID(fmt.Sprintf("asked-%07d", i)), Type: event.Track, Name: "Letter Asked", User: userOf(i), At: now, Raw: now, Trust: event.Server, Source: "web",
			})
		}
		if err := p.node.Hear(ctx, events); err != nil {
			return nil, err
		}
	}
	return p, p.wait(ctx, func() (bool, int64, error) {
		planned, all, err := p.count(ctx, profile.Planned)
		return planned == int64(n), all, err
	})
}

// begin starts the engine, and not dispatch: messages wait.
func (p *post) begin(ctx context.Context, src *program.Source) error {
	p.node.Engine.Start()
	if _, err := p.node.Apply(ctx, src); err != nil {
		return err
	}
	return p.node.WaitReady(ctx)
}

// deliver lets dispatch run until the last message is taken and its receipt is
// committed.
func (p *post) deliver(ctx context.Context, n int, count func() int) (taken, applied time.Duration, err error) {
	running, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	began := time.Now()
	go func() { ended <- p.node.Dispatch.Run(running) }()
	defer func() {
		stop()
		err = errors.Join(err, <-ended)
	}()
	if count != nil {
		err := p.wait(ctx, func() (bool, int64, error) {
			have := count()
			return have >= n, int64(have), nil
		})
		if err != nil {
			return 0, 0, err
		}
		taken = time.Since(began)
	}
	err = p.wait(ctx, func() (bool, int64, error) {
		accepted, _, err := p.count(ctx, profile.Accepted)
		return accepted == int64(n), accepted, err
	})
	return taken, time.Since(began), err
}

// count returns how many deliveries are in the state, and how many there are.
func (p *post) count(ctx context.Context, state profile.State) (in, all int64, err error) {
	counts, err := p.store.DeliveryCounts(ctx)
	for _, c := range counts {
		all += c.Count
		if c.State == state {
			in += c.Count
		}
	}
	return in, all, err
}

// wait asks until it is done. It gives up when nothing has moved for long, and
// says where the messages are.
func (p *post) wait(ctx context.Context, done func() (ok bool, moved int64, err error)) error {
	last, since := int64(-1), time.Now()
	for pause := time.Millisecond; ctx.Err() == nil; pause = min(2*pause, 20*time.Millisecond) {
		if err := p.node.Engine.Err(); err != nil {
			return err
		}
		ok, moved, err := done()
		switch {
		case ok || err != nil:
			return err
		case moved != last:
			last, since = moved, time.Now()
		case time.Since(since) > patience:
			counts, err := p.store.DeliveryCounts(ctx)
			return errors.Join(err, fault.New(fault.Internal, fmt.Sprintf("nothing has moved for %s; deliveries: %+v", patience, counts)))
		}
		time.Sleep(pause)
	}
	return ctx.Err()
}

func (p *post) close(ctx context.Context) error {
	var errs []error
	if p.node != nil {
		errs = append(errs, p.node.Close(context.WithoutCancel(ctx)))
	}
	if p.ledger != nil {
		errs = append(errs, p.ledger.Close())
	}
	if p.store != nil {
		errs = append(errs, p.store.Close())
	}
	if p.log != nil {
		errs = append(errs, p.log.Close())
	}
	*p = post{}
	return errors.Join(errs...)
}

// recorder keeps some of the messages that pass.
type recorder struct {
	channels.Channel
	mu       sync.Mutex
	messages []channels.Message
}

func (r *recorder) Send(ctx context.Context, batch []channels.Message) []channels.Outcome {
	r.mu.Lock()
	if len(r.messages) < keptMessages {
		r.messages = append(r.messages, slices.Clone(batch)...)
	}
	r.mu.Unlock()
	return r.Channel.Send(ctx, batch)
}

// channelAlone sends n messages, the same ones under new ids, and returns how many
// a second were accepted.
func channelAlone(ctx context.Context, channel channels.Channel, messages []channels.Message, n int) (float64, error) {
	each := (n + workers - 1) / workers
	errs := make([]error, workers)
	var group sync.WaitGroup
	began := time.Now()
	for w := range workers {
		group.Go(func() {
			for sent := 0; sent < each && errs[w] == nil; sent += batchSize {
				batch := make([]channels.Message, min(batchSize, each-sent))
				for i := range batch {
					m := messages[(sent+i)%len(messages)]
					m.Delivery = fmt.Sprintf("%016x%016x", w+1, sent+i)
					m.MessageID = ""
					batch[i] = m
				}
				for _, o := range channel.Send(ctx, batch) {
					if o.State != channels.Accepted {
						errs[w] = fault.New(fault.Internal, "a message was "+o.State.String()+": "+o.Detail)
					}
				}
			}
		})
	}
	group.Wait()
	return float64(each*workers) / time.Since(began).Seconds(), errors.Join(errs...)
}
