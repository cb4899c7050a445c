package bench

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"rapport/internal/core/identity"
	"rapport/internal/fault"
	"rapport/internal/intake"
	"rapport/internal/keys"
)

// What the HTTP bench sends, by DESIGN §11.
const (
	httpConnections = 64
	httpEvents      = 20
	// httpBodies is how many different bodies there are.
	httpBodies = 256
	// httpRate is far above what a machine can take: the bench must not be slowed by
	// the limit that protects a shop.
	httpRate = 1_000_000_000
)

// httpBench sends batches as an SDK does, over loopback, and waits for each 200.
func httpBench(ctx context.Context, b *bench) error {
	length := b.seconds(20)
	r := &b.result
	r.Target = "≥ 60,000 events/s; p99 ≤ 30 ms"
	r.Inside = "an HTTP request of 20 events over loopback TCP with its client on the same cores, decoding and checks, one durable append, the answer 200. " +
		"Applying what was heard is not inside; with_engine_… is the same with the engine applying and committing beside it"
	r.LimitIs = "the same server and client with an Append that returns at once: what durability costs is the rest"
	r.Params["connections"], r.Params["events_per_request"], r.Params["seconds"] = httpConnections, httpEvents, length.Seconds()

	prog, err := compile(bigShop())
	if err != nil {
		return err
	}
	c := &crowd{b: b, prog: prog, now: wall}
	if err := c.open(ctx, false); err != nil {
		return err
	}
	defer func() { _ = c.close(ctx) }() // as in engineBench
	if err := c.e.Switch(ctx, prog.Core.Hash); err != nil {
		return err
	}
	ring, fresh, err := keys.Open(b.dir)
	if err != nil {
		return err
	}
	auth := ""
	for _, k := range fresh {
		if k.Kind == keys.Write {
			auth = k.Text
		}
	}
	hear := func(ctx context.Context, events []intake.Addressed) error {
		entries := make([]identity.Addressed, len(events))
		for i := range events {
			entries[i] = identity.Addressed{To: events[i].To, Event: events[i].Event}
		}
		return c.e.Append(ctx, entries)
	}
	measure := func(what string, length time.Duration, hear func(context.Context, []intake.Addressed) error) (rate float64, took spread, err error) {
		b.say("%s, %s", what, length)
		return requests(ctx, auth, length, intake.New(intake.Options{
			Keys: ring, Append: hear, Now: wall, Workspace: secret, Limits: intake.Limits{Rate: httpRate}, Log: b.Logger,
		}))
	}
	var rate float64
	var took spread
	err = b.profiled("", func() (err error) {
		rate, took, err = measure("64 connections to durable 200", length, hear)
		return err
	})
	if err != nil {
		return err
	}
	r.Figures["p50_ms"], r.Figures["p99_ms"] = took.at(0.5), took.at(0.99)
	limit, took, err := measure("the same without durability", length/2, func(context.Context, []intake.Addressed) error { return nil })
	if err != nil {
		return err
	}
	r.more(rate, limit, "events/s")
	r.Figures["limit_p50_ms"], r.Figures["limit_p99_ms"] = took.at(0.5), took.at(0.99)

	// The engine first catches up with what was sent before.
	b.say("the engine catches up")
	c.e.Start()
	if err := c.waitSettled(ctx); err != nil {
		return err
	}
	if rate, took, err = measure("the same with the engine beside it", length/2, hear); err != nil {
		return err
	}
	r.Figures["with_engine_events_per_s"], r.Figures["with_engine_p50_ms"], r.Figures["with_engine_p99_ms"] = rate, took.at(0.5), took.at(0.99)
	return c.close(ctx)
}

// requests sends batches over loopback for a time and returns events a second and
// how long each request took.
func requests(ctx context.Context, key string, length time.Duration, h http.Handler) (float64, spread, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, nil, fault.Wrap(fault.Unavailable, err, "the bench cannot listen on loopback")
	}
	server := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	bodies := make([][]byte, httpBodies)
	for i := range bodies {
		bodies[i] = sdkRequest(key, uint64(i))
	}
	took := make([]spread, httpConnections)
	errs := make([]error, httpConnections)
	var group sync.WaitGroup
	began := time.Now()
	until := began.Add(length)
	for w := range httpConnections {
		group.Go(func() { took[w], errs[w] = client(ctx, listener.Addr().String(), uint64(w), bodies, until) })
	}
	group.Wait()
	elapsed := time.Since(began).Seconds()
	errs = append(errs, server.Close())
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		errs = append(errs, err)
	}
	all := slices.Concat(took...)
	return float64(len(all)*httpEvents) / elapsed, all, errors.Join(errs...)
}

// client sends one request after the other on one connection. It is written by
// hand, because net/http's client takes as long as the server.
func client(ctx context.Context, addr string, n uint64, bodies [][]byte, until time.Time) (took spread, err error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	answer := bufio.NewReader(conn)
	dice := rand.New(rand.NewPCG(n, uint64(until.UnixNano())))
	var buf []byte
	for at := time.Now(); at.Before(until) && ctx.Err() == nil; {
		buf = append(buf[:0], bodies[dice.IntN(len(bodies))]...)
		renew(buf, dice)
		if _, err := conn.Write(buf); err != nil {
			return took, err
		}
		if err := accepted(answer); err != nil {
			return took, err
		}
		now := time.Now()
		took, at = append(took, now.Sub(at)), now
	}
	return took, nil
}

// idMark stands before each message id in a request, followed by 20 digits; userMark
// before each user id, followed by 7.
var (
	idMark   = []byte(`"messageId":"node-next-`)
	userMark = []byte(`"userId":"u`)
)

// renew gives each message of a request an id of its own, and all of them a
// customer: a batch is one browser's.
func renew(request []byte, dice *rand.Rand) {
	customer := dice.Uint64N(200_000)
	for rest := request; ; {
		i := bytes.Index(rest, idMark)
		if i < 0 {
			return
		}
		rest = rest[i+len(idMark):]
		digits(rest[:20], dice.Uint64())
		if u := bytes.Index(rest, userMark); u >= 0 {
			digits(rest[u+len(userMark):u+len(userMark)+7], customer)
		}
	}
}

// sdkRequest is a request as Segment's SDK for node sends it: events of about 500
// bytes, the write key as basic authorization.
func sdkRequest(key string, seed uint64) []byte {
	var body bytes.Buffer
	dice := rand.New(rand.NewPCG(seed, 6))
	now := time.Now().UTC().Format("2006-01-02T15:04:05.000Z")
	body.WriteString(`{"batch":[`)
	for i := range httpEvents {
		if i > 0 {
			body.WriteByte(',')
		}
		sku := dice.IntN(5000)
		fmt.Fprintf(&body, `{%s00000000000000000000-6f1b2a34-0b5e-4f8a-9d3c-5e7a90b1c2d3","timestamp":"%s","type":"track",%s0000000","event":"Product Viewed",`+
			`"properties":{"product_id":"p%[4]d","sku":"SKU-%[4]d","category":"%[5]s","name":"Trail boot %[4]d","brand":"Acme","variant":"42","price":99.9,"quantity":1,"currency":"GBP","position":3,"url":"https://shop.example/p/%[4]d"},`+
			`"integrations":{},"context":{"library":{"name":"@segment/analytics-node","version":"3.1.0"}},"_metadata":{"nodeVersion":"22.1.0","jsRuntime":"node"}}`,
			idMark, now, userMark, sku, categories[sku%len(categories)])
	}
	fmt.Fprintf(&body, `],"sentAt":"%s"}`, now)
	var b bytes.Buffer
	fmt.Fprintf(&b, "POST /v1/batch HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nAuthorization: Basic %s\r\nUser-Agent: analytics-node/3.1.0\r\nContent-Length: %d\r\n\r\n",
		base64.StdEncoding.EncodeToString([]byte(key+":")), body.Len())
	b.Write(body.Bytes())
	return b.Bytes()
}

// accepted reads one answer and fails unless it is 200.
func accepted(r *bufio.Reader) error {
	status, err := r.ReadString('\n')
	if err != nil {
		return err
	}
	length := 0
	for {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return err
		}
		if line = bytes.TrimRight(line, "\r\n"); len(line) == 0 {
			break
		}
		if name, value, ok := bytes.Cut(line, []byte(": ")); ok && bytes.EqualFold(name, []byte("Content-Length")) {
			if length, err = strconv.Atoi(string(value)); err != nil {
				return err
			}
		}
	}
	body := make([]byte, length)
	if _, err := io.ReadFull(r, body); err != nil {
		return err
	}
	if len(status) < 12 || status[9:12] != "200" {
		return fault.New(fault.Internal, "the server answered "+status+string(body))
	}
	return nil
}
