package natslog

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"rapport/internal/eventlog"
	"rapport/internal/fault"
)

const (
	// maxMessage is the largest message: a body and its head.
	maxMessage = eventlog.MaxBody + headSize
	// maxPending is how many bytes the server may hold for our connection: a few
	// whole reads. Beyond it the server would cut the connection.
	maxPending = 256 << 20
	// startLimit bounds a start on a disk that does not answer. Recovering a log
	// of many GB after a crash takes seconds.
	startLimit = 10 * time.Minute
	// epochKey is under which name a stream carries the epoch of its log.
	epochKey = "rapport-epoch"
	// ackPrefix begins the subjects to which the server acknowledges records:
	// prefix, lane, token.
	ackPrefix = "ack."
)

// engine is one run of the server with our connection to it. A full disk ends it
// and another takes its place.
type engine struct {
	log     *Log
	srv     *server.Server
	nc      *nats.Conn
	js      jetstream.JetStream
	flights []*flight // by lane
	reads   atomic.Uint64

	ended   chan struct{} // closed when nothing can be appended through it any more
	endOnce sync.Once
	stopped atomic.Bool
}

// start runs a server over the files of the log and brings the lanes up to what
// it finds. Only the first start may make streams and give the log an epoch.
// Called by Open, and with l.mu held.
func (l *Log) start(ctx context.Context, first bool) (err error) {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	for _, ln := range l.lanes {
		if err := settle(l.dir, ln.stream); err != nil {
			return diskFault(err, "the log cannot be brought in order")
		}
	}
	e := &engine{log: l, ended: make(chan struct{})}
	for range l.lanes {
		e.flights = append(e.flights, newFlight())
	}
	if err := e.connect(); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			e.stop()
		}
	}()
	whole, err := e.streamsBelong(ctx)
	if err != nil {
		return err
	}
	if !whole {
		if !first {
			return fault.New(fault.Corrupt, "streams of the log have gone while it was open")
		}
		if err := e.makeStreams(ctx); err != nil {
			return err
		}
	}
	for _, ln := range l.lanes {
		if err := e.resume(ctx, ln); err != nil {
			return err
		}
	}
	l.engine = e
	return nil
}

// connect starts the server and connects to it through memory.
func (e *engine) connect() error {
	l := e.log
	srv, err := server.NewServer(&server.Options{
		ServerName:             "rapport",
		DontListen:             true,
		NoSigs:                 true, // signals are the process's affair
		JetStream:              true,
		StoreDir:               l.dir,
		JetStreamMaxStore:      math.MaxInt64 / 2, // the disk is the limit; Trim keeps the log small
		SyncAlways:             true,
		MaxPayload:             maxMessage,
		MaxPending:             maxPending,
		DisableJetStreamBanner: true,
	})
	if err != nil {
		return fmt.Errorf("configuring the log's server: %w", err)
	}
	e.srv = srv
	srv.SetLoggerV2(&listener{say: l.say, hear: e.hear}, false, false, false)
	srv.Start() // recovers the streams before it returns
	if !srv.ReadyForConnections(time.Minute) || !srv.JetStreamEnabled() {
		e.stop()
		return fault.New(fault.Unavailable, "the log's server does not start: the lines before this one in the log of the process say why")
	}
	e.nc, err = nats.Connect("", nats.InProcessServer(srv), nats.NoReconnect(),
		nats.ClosedHandler(func(*nats.Conn) {
			e.lost(&trouble{message: lostMessage})
		}))
	if err != nil {
		e.stop()
		return fmt.Errorf("connecting to the log's server: %w", err)
	}
	if _, err = e.nc.Subscribe(ackPrefix+">", e.acknowledged); err == nil {
		e.js, err = jetstream.New(e.nc)
	}
	if err != nil {
		e.stop()
		return fmt.Errorf("listening to the log's server: %w", err)
	}
	return nil
}

// stop ends the server. What it reports from now on is not heard.
func (e *engine) stop() {
	e.stopped.Store(true)
	e.endOnce.Do(func() { close(e.ended) })
	if e.nc != nil {
		e.nc.Close()
	}
	e.srv.Shutdown()
	e.srv.WaitForShutdown()
}

// hasEnded reports whether nothing can be appended through it any more.
func (e *engine) hasEnded() bool {
	select {
	case <-e.ended:
		return true
	default:
		return false
	}
}

// hear is told each error of the file system that the server reports.
func (e *engine) hear(err error) { e.lost(e.log.troubleOf(err)) }

func (e *engine) lost(t *trouble) {
	if !e.stopped.Load() {
		e.log.fail(e, t)
	}
}

// streamsBelong reports whether every lane's stream is there and of the log's epoch.
func (e *engine) streamsBelong(ctx context.Context) (bool, error) {
	for _, ln := range e.log.lanes {
		s, err := e.js.Stream(ctx, ln.stream)
		if errors.Is(err, jetstream.ErrStreamNotFound) {
			return false, nil
		}
		if err != nil {
			return false, fmt.Errorf("looking for stream %s: %w", ln.stream, err)
		}
		if s.CachedInfo().Config.Metadata[epochKey] != epochText(e.log.epoch) {
			return false, nil
		}
	}
	return e.log.epoch != 0, nil
}

// makeStreams gives the log a new epoch and makes the streams that are missing.
// The epoch comes first: if we are killed in between, the next start finds that
// streams and epoch do not agree and begins again.
func (e *engine) makeStreams(ctx context.Context) error {
	l := e.log
	if l.epoch != 0 {
		l.say.Warn("streams of the log are missing or of another log: it gets a new epoch, and readers start anew", "dir", l.dir)
	}
	l.epoch = newEpoch()
	if err := storeEpoch(l.dir, l.epoch, len(l.lanes)); err != nil {
		return diskFault(err, "the epoch of the log cannot be written")
	}
	for _, ln := range l.lanes {
		_, err := e.js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
			Name:        ln.stream,
			Subjects:    []string{ln.stream},
			Storage:     jetstream.FileStorage,
			Retention:   jetstream.LimitsPolicy,
			Discard:     jetstream.DiscardNew, // never drop a record to make room
			MaxMsgSize:  maxMessage,
			AllowDirect: true,
			Compression: compression,
			Metadata:    map[string]string{epochKey: epochText(l.epoch)},
		})
		if err != nil {
			return fault.Wrap(fault.Unavailable, err, "stream "+ln.stream+" of the log cannot be made")
		}
	}
	if err := syncTree(l.dir); err != nil {
		return diskFault(err, "the folders of the log cannot be synced")
	}
	return nil
}

// resume sets the lane to what its stream holds.
func (e *engine) resume(ctx context.Context, ln *lane) error {
	s, err := e.js.Stream(ctx, ln.stream)
	if err != nil {
		return fmt.Errorf("looking into stream %s: %w", ln.stream, err)
	}
	state := s.CachedInfo().State
	ln.mu.Lock()
	defer ln.mu.Unlock()
	if state.LastSeq < ln.last {
		return fault.New(fault.Corrupt, fmt.Sprintf("lane %d had record %d and now ends with %d: the disk has lost what it had synced", ln.n, ln.last, state.LastSeq))
	}
	if state.Msgs > 0 {
		m, err := s.GetLastMsgForSubject(ctx, ln.stream)
		if err != nil {
			return fault.Wrap(fault.Corrupt, err, fmt.Sprintf("the newest record of lane %d cannot be read", ln.n))
		}
		now, _, err := decode(m.Data)
		if err != nil {
			return fmt.Errorf("the newest record of lane %d: %w", ln.n, err)
		}
		ln.now = max(ln.now, now)
	}
	if state.LastSeq > ln.last {
		ln.tail = tail{} // what came in between is not in it
	}
	ln.first, ln.last = max(1, state.FirstSeq), state.LastSeq
	ln.wake()
	return nil
}

// sick reports whether the server has given up the lane without our having heard
// why, and what it says.
func (e *engine) sick(ln *lane) error {
	if !e.srv.JetStreamEnabled() {
		return errors.New("the log's server has shut its storage down")
	}
	h := e.srv.Healthz(&server.HealthzOptions{Account: server.DEFAULT_GLOBAL_ACCOUNT, Stream: ln.stream, Details: true})
	for _, why := range h.Errors {
		if why.Stream == ln.stream {
			return errors.New(why.Error)
		}
	}
	return nil
}

func epochText(epoch uint64) string { return fmt.Sprintf("%016x", epoch) }

// ackOf reads lane and token from the subject of an acknowledgement.
func ackOf(subject string) (lane int, token uint64, ok bool) {
	left, right, found := strings.Cut(strings.TrimPrefix(subject, ackPrefix), ".")
	lane, err := strconv.Atoi(left)
	token, err2 := strconv.ParseUint(right, 10, 64)
	return lane, token, found && err == nil && err2 == nil
}
