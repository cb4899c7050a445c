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
	"rapport/internal/core/event"
	"rapport/internal/core/profile"
	"rapport/internal/fault"
	"rapport/internal/mailcatcher"
	"rapport/internal/program"
	"rapport/internal/run"
)

const (
	// serviceEvery is how often a service message is asked for: an order each, in a
	// shop that takes 70,000 in an hour.
	serviceEvery = 50 * time.Millisecond
	// serviceShort is the same where the whole bench lasts a moment.
	serviceShort = 10 * time.Millisecond
)

// mailingShop returns definitions of one campaign to everybody and one service
// message, with nothing that holds a message back.
func mailingShop() (*program.Source, error) {
	return program.New(append(files("caps: {all: {per: 1d, most: 1000}}\ngap: 0s\nquiet: []\nowned_for: 0d\n"),
		program.File{Path: "segments/known.yaml", Body: "segment: known\nwhen: {trait: first_name, exists: true}\n"},
		program.File{Path: "campaigns/news.yaml", Body: "campaign: news\naudience: {segment: known}\ntemplate: letter\nundo: none\nholdout: 0\nreason: You asked for our news\n"},
		program.File{Path: "service/shipped.yaml", Body: "service: shipped\ntemplate: shipped\n"},
		program.File{Path: "templates/shipped.html.liquid", Body: "---\nsubject: Your order {{ trigger.order_id }} is on its way\nlayout: none\n---\n<p>Your order {{ trigger.order_id }} is on its way.</p>\n"},
		program.File{Path: "templates/shipped.txt.liquid", Body: "Your order {{ trigger.order_id }} is on its way.\n"},
	))
}

// serviceBench measures how soon a service message is taken by the mail server
// while a campaign is under way.
func serviceBench(ctx context.Context, b *bench) (err error) {
	n, length, every := b.size(200, 20_000, 1_000_000), b.seconds(15), serviceEvery
	if b.o.Short {
		every = serviceShort
	}
	r := &b.result
	r.Target = "p99 ≤ 2 s from the API's call to accepted, with a million campaign mails queued"
	r.Inside = "from the call of Node.SendService until the SMTP server on the same cores has accepted the message, while a campaign to all customers is under way: " +
		"log (fsynced) → engine → gate → commit → slot in the log → gate → commit → rendered → started (fsynced) → SMTP"
	r.LimitIs = "the same p99 without a campaign"
	r.Params["campaign"], r.Params["seconds"], r.Params["every_ms"] = n, length.Seconds(), float64(every.Milliseconds())

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
	w := &owedWatch{Channel: smtp, taken: map[string]time.Time{}}
	src, err := mailingShop()
	if err != nil {
		return err
	}
	p, err := b.mailing(ctx, "mailing", n, src, w)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.close(ctx)) }()
	if err := p.node.Start(ctx); err != nil {
		return err
	}
	b.say("service messages alone")
	alone, err := w.ask(ctx, p, "alone", min(length, 5*time.Second), every)
	if err != nil {
		return err
	}
	b.say("the same while a campaign goes to %d customers", n)
	if _, err := p.node.SendCampaign(ctx, "news", run.SendOptions{Now: true}); err != nil {
		return err
	}
	began := time.Now()
	err = b.profiled("", func() (err error) {
		busy, err := w.ask(ctx, p, "busy", length, every)
		if err == nil {
			r.less(busy.at(0.99), alone.at(0.99), "ms")
			r.Figures["p50_ms"], r.Figures["max_ms"], r.Figures["asked"] = busy.at(0.5), busy.at(1), float64(len(busy))
		}
		return err
	})
	r.Figures["campaign_mails_per_s"] = float64(sink.Count()) / time.Since(began).Seconds()
	// How much waited meanwhile: customers whom the campaign has met, and letters that
	// are planned for them and not taken yet.
	if planned, met, counted := p.count(ctx, profile.Planned); counted == nil {
		r.Figures["campaign_met"], r.Figures["campaign_planned"] = float64(met), float64(planned)
	}
	if _, stopped := p.node.StopCampaign(ctx, "news"); stopped != nil && !fault.Is(stopped, fault.Conflict) {
		err = errors.Join(err, stopped)
	}
	return err
}

// mailing makes a node of n customers who agreed to the campaign.
func (b *bench) mailing(ctx context.Context, name string, n int, src *program.Source, channel channels.Channel) (_ *post, err error) {
	p, err := b.openPost(ctx, name, channel)
	defer func() {
		if err != nil {
			err = errors.Join(err, p.close(ctx))
		}
	}()
	if err != nil {
		return nil, err
	}
	// Applied in steps: Start, which the caller does, begins the lanes.
	if _, err := p.node.Apply(ctx, src); err != nil {
		return nil, err
	}
	if err := p.node.Engine.CatchUp(ctx); err != nil {
		return nil, err
	}
	b.say("%d customers agree", n)
	now := wall()
	for from := 0; from < n; from += feedBatch {
		var events []event.Event
		for i := from; i < min(from+feedBatch, n); i++ {
			events = append(events, known(i, now), agreed(i, now))
		}
		if err := p.node.Hear(ctx, events); err != nil {
			return nil, err
		}
	}
	return p, p.node.Engine.CatchUp(ctx)
}

// owedWatch notes when the server has taken each service message.
type owedWatch struct {
	channels.Channel
	mu    sync.Mutex
	taken map[string]time.Time // by address
}

// Send keeps the promise of [channels.Channel].
func (w *owedWatch) Send(ctx context.Context, batch []channels.Message) []channels.Outcome {
	out := w.Channel.Send(ctx, batch)
	now := time.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := range out {
		if batch[i].Service && out[i].State == channels.Accepted {
			w.taken[batch[i].To.Address] = now
		}
	}
	return out
}

// ask asks for service messages for as long, each to a customer of its own, and
// returns how long each took.
func (w *owedWatch) ask(ctx context.Context, p *post, name string, length, every time.Duration) (spread, error) {
	began := map[string]time.Time{}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for end := time.Now().Add(length); time.Now().Before(end); {
		address := fmt.Sprintf("%s-%d@people.example", name, len(began))
		began[address] = time.Now()
		var props event.Builder
		props.Set("order_id", event.Text(fmt.Sprint(len(began))))
		if _, err := p.node.SendService(ctx, "shipped", run.Recipient{Email: address}, props.Object(), address); err != nil {
			return nil, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-tick.C:
		}
	}
	have := func() int {
		w.mu.Lock()
		defer w.mu.Unlock()
		n := 0
		for address := range began {
			if _, taken := w.taken[address]; taken {
				n++
			}
		}
		return n
	}
	err := p.wait(ctx, func() (bool, int64, error) {
		n := have()
		return n == len(began), int64(n), nil
	})
	if err != nil {
		return nil, err
	}
	took := make(spread, 0, len(began))
	for address, at := range began {
		took = append(took, w.taken[address].Sub(at))
	}
	slices.Sort(took)
	return took, nil
}
