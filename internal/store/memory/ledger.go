package memory

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"sync"
	"sync/atomic"

	"rapport/internal/core/event"
	"rapport/internal/core/profile"
	"rapport/internal/fault"
	"rapport/internal/store"
)

// Ledger is one opening of a ledger in memory. It implements [store.Ledger].
type Ledger struct {
	book   *book
	closed atomic.Bool
}

// book is what survives a Close.
type book struct {
	mu         sync.Mutex
	starts     map[profile.DeliveryID]start
	suppressed map[target][]store.Suppression
	only       map[[16]byte]profile.DeliveryID // which delivery was begun with an Only
}

type start struct {
	store.Start
	finished bool
}

// target is what a suppression forbids; an empty channel or purpose is every one.
type target struct {
	subject          [16]byte
	channel, purpose string
}

var _ store.Ledger = (*Ledger)(nil)

// NewLedger returns an empty ledger.
func NewLedger() *Ledger {
	return &Ledger{book: &book{starts: map[profile.DeliveryID]start{}, suppressed: map[target][]store.Suppression{}, only: map[[16]byte]profile.DeliveryID{}}}
}

// Reopen closes l and returns another opening of the same ledger.
func (l *Ledger) Reopen() *Ledger {
	_ = l.Close() // cannot fail
	return &Ledger{book: l.book}
}

// Close ends this opening; the book stays for Reopen.
func (l *Ledger) Close() error {
	l.closed.Store(true)
	return nil
}

// lock locks the book, or says why it cannot be used.
func (l *Ledger) lock(ctx context.Context) (*book, error) {
	if l.closed.Load() {
		return nil, fault.New(fault.Unavailable, "the ledger is closed")
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	l.book.mu.Lock()
	return l.book, nil
}

// Start implements [store.Ledger].
func (l *Ledger) Start(ctx context.Context, batch []store.Start) ([]store.StartAnswer, error) {
	b, err := l.lock(ctx)
	if err != nil {
		return nil, err
	}
	defer b.mu.Unlock()
	answers := make([]store.StartAnswer, len(batch))
	for i, s := range batch {
		if _, begun := b.starts[s.ID]; begun && !s.Resend {
			answers[i] = store.Again
			continue
		}
		if slices.ContainsFunc(s.Subjects, func(subject [16]byte) bool {
			_, stopped := b.find(subject, s.Channel, s.Purpose)
			return stopped
		}) {
			answers[i] = store.Stop
			continue
		}
		if s.Only != ([16]byte{}) {
			if first, taken := b.only[s.Only]; taken && first != s.ID {
				answers[i] = store.Same
				continue
			}
			b.only[s.Only] = s.ID
		}
		s.Subjects, s.Receipt = slices.Clone(s.Subjects), nil
		b.starts[s.ID] = start{Start: s}
	}
	return answers, nil
}

// Begun implements [store.Ledger].
func (l *Ledger) Begun(ctx context.Context, id profile.DeliveryID, fence uint64) (bool, error) {
	b, err := l.lock(ctx)
	if err != nil {
		return false, err
	}
	defer b.mu.Unlock()
	s, begun := b.starts[id]
	return begun && s.Fence >= fence, nil
}

// Note implements [store.Ledger].
func (l *Ledger) Note(ctx context.Context, receipts []store.Receipt) error {
	b, err := l.lock(ctx)
	if err != nil {
		return err
	}
	defer b.mu.Unlock()
	for _, r := range receipts {
		if s, ok := b.starts[r.ID]; ok && !s.finished {
			s.Receipt = bytes.Clone(r.Entry)
			b.starts[r.ID] = s
		}
	}
	return nil
}

// Finish implements [store.Ledger].
func (l *Ledger) Finish(ctx context.Context, ids []profile.DeliveryID) error {
	b, err := l.lock(ctx)
	if err != nil {
		return err
	}
	defer b.mu.Unlock()
	for _, id := range ids {
		if s, ok := b.starts[id]; ok {
			s.finished, s.Receipt = true, nil
			b.starts[id] = s
		}
	}
	return nil
}

// Unfinished implements [store.Ledger].
func (l *Ledger) Unfinished(ctx context.Context, before event.Time, limit int) ([]store.Start, error) {
	b, err := l.lock(ctx)
	if err != nil {
		return nil, err
	}
	defer b.mu.Unlock()
	var open []store.Start
	for _, s := range b.starts {
		if !s.finished && s.At < before {
			s.Subjects, s.Receipt = slices.Clone(s.Subjects), bytes.Clone(s.Receipt)
			open = append(open, s.Start)
		}
	}
	slices.SortFunc(open, func(a, b store.Start) int { return bytes.Compare(a.ID[:], b.ID[:]) })
	return open[:min(len(open), max(limit, 0))], nil
}

// Suppress implements [store.Ledger].
func (l *Ledger) Suppress(ctx context.Context, s store.Suppression) error {
	b, err := l.lock(ctx)
	if err != nil {
		return err
	}
	defer b.mu.Unlock()
	t := target{s.Subject, s.Channel, s.Purpose}
	if !slices.ContainsFunc(b.suppressed[t], func(old store.Suppression) bool { return old.Reason == s.Reason && old.By == s.By }) {
		b.suppressed[t] = append(b.suppressed[t], s)
	}
	return nil
}

// Release implements [store.Ledger].
func (l *Ledger) Release(ctx context.Context, subject [16]byte, channel, purpose string, until event.Time) error {
	b, err := l.lock(ctx)
	if err != nil {
		return err
	}
	defer b.mu.Unlock()
	t := target{subject, channel, purpose}
	b.suppressed[t] = slices.DeleteFunc(b.suppressed[t], func(s store.Suppression) bool { return s.Reason == store.Unsubscribed && s.At <= until })
	if len(b.suppressed[t]) == 0 {
		delete(b.suppressed, t)
	}
	return nil
}

// Retract implements [store.Ledger].
func (l *Ledger) Retract(ctx context.Context, by string) (n int64, err error) {
	b, err := l.lock(ctx)
	if err != nil {
		return 0, err
	}
	defer b.mu.Unlock()
	for t, list := range b.suppressed {
		kept := slices.DeleteFunc(list, func(s store.Suppression) bool { return s.By == by })
		n += int64(len(list) - len(kept))
		if b.suppressed[t] = kept; len(kept) == 0 {
			delete(b.suppressed, t)
		}
	}
	return n, nil
}

// Suppressed implements [store.Ledger].
func (l *Ledger) Suppressed(ctx context.Context, subject [16]byte, channel, purpose string) (store.Suppression, bool, error) {
	b, err := l.lock(ctx)
	if err != nil {
		return store.Suppression{}, false, err
	}
	defer b.mu.Unlock()
	s, stopped := b.find(subject, channel, purpose)
	return s, stopped, nil
}

// AllSuppressed implements [store.Ledger].
func (l *Ledger) AllSuppressed(ctx context.Context, questions []store.Question) ([]*store.Suppression, error) {
	b, err := l.lock(ctx)
	if err != nil {
		return nil, err
	}
	defer b.mu.Unlock()
	answers := make([]*store.Suppression, len(questions))
	for i, q := range questions {
		if s, stopped := b.find(q.Subject, q.Channel, q.Purpose); stopped {
			answers[i] = &s
		}
	}
	return answers, nil
}

// Suppressions implements [store.Ledger].
func (l *Ledger) Suppressions(ctx context.Context) (map[string]int64, error) {
	b, err := l.lock(ctx)
	if err != nil {
		return nil, err
	}
	defer b.mu.Unlock()
	counts := map[string]int64{}
	for _, found := range b.suppressed {
		reasons := map[string]bool{}
		for _, s := range found {
			reasons[s.Reason] = true
		}
		for reason := range reasons {
			counts[reason]++
		}
	}
	return counts, nil
}

// find returns the oldest suppression that stops a delivery.
func (b *book) find(subject [16]byte, channel, purpose string) (oldest store.Suppression, stopped bool) {
	for _, t := range [...]target{{subject, channel, purpose}, {subject, channel, ""}, {subject, "", purpose}, {subject, "", ""}} {
		for _, s := range b.suppressed[t] {
			if !stopped || cmp.Or(cmp.Compare(s.At, oldest.At), cmp.Compare(s.Reason, oldest.Reason)) < 0 {
				oldest, stopped = s, true
			}
		}
	}
	return oldest, stopped
}
