package sqlite

import (
	"context"
	"database/sql/driver"
	"iter"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
	"rapport/internal/fault"
	"rapport/internal/store"
)

const (
	deliveryColumns = "SELECT body, profile, because, changed, plan, claim, outcome FROM deliveries "

	// pageOfDeliveries is how many rows Deliveries reads at a time: it must not
	// hold a view of the data while its caller works, because the WAL cannot be
	// emptied under a view.
	pageOfDeliveries = 512
)

// Delivery implements [store.Store].
func (s *Store) Delivery(ctx context.Context, id profile.DeliveryID) (store.Delivery, error) {
	found, err := s.deliveries(ctx, "WHERE id = ?", id[:])
	if err == nil && len(found) == 0 {
		err = fault.New(fault.NotFound, "there is no delivery "+id.String())
	}
	if err != nil {
		return store.Delivery{}, err
	}
	return found[0], nil
}

// DeliveriesOf implements [store.Store].
func (s *Store) DeliveriesOf(ctx context.Context, id identity.ID, limit int) ([]store.Delivery, error) {
	return s.deliveries(ctx, "WHERE profile = ? ORDER BY planned DESC, id LIMIT ?", id[:], max(limit, 0))
}

// Deliveries implements [store.Store].
func (s *Store) Deliveries(ctx context.Context) iter.Seq2[store.Delivery, error] {
	return func(yield func(store.Delivery, error) bool) {
		after := []byte{} // before every id, the zero one too
		for {
			page, err := s.deliveries(ctx, "WHERE id > ? ORDER BY id LIMIT ?", after, pageOfDeliveries)
			if err != nil {
				yield(store.Delivery{}, err)
				return
			}
			for _, d := range page {
				if !yield(d, nil) {
					return
				}
			}
			if len(page) < pageOfDeliveries {
				return
			}
			after = page[len(page)-1].ID[:]
		}
	}
}

func (s *Store) deliveries(ctx context.Context, where string, args ...any) (found []store.Delivery, err error) {
	err = s.file.read(ctx, func(c *conn) error {
		return c.query(ctx, 7, func(row []driver.Value) error {
			d, err := profile.DecodeDelivery(string(row[0].([]byte)))
			if err != nil {
				return fault.Wrap(fault.Corrupt, err, "a delivery is damaged")
			}
			found = append(found, store.Delivery{
				Delivery: d, Profile: identity.ID(id16(row[1])), Because: row[2].(string), Changed: event.Time(integer(row[3])),
				Plan: bytesOf(row[4]), Claim: bytesOf(row[5]), Outcome: row[6].(string),
			})
			return nil
		}, deliveryColumns+where, args...)
	})
	return found, err
}

// DeliveryCounts implements [store.Store].
func (s *Store) DeliveryCounts(ctx context.Context) (counts []store.DeliveryCount, err error) {
	err = s.file.read(ctx, func(c *conn) error {
		return c.query(ctx, 5, func(row []driver.Value) error {
			counts = append(counts, store.DeliveryCount{
				State: profile.State(integer(row[0])), Journey: row[1].(string), Channel: row[2].(string), Because: row[3].(string), Count: integer(row[4]),
			})
			return nil
		}, "SELECT state, journey, channel, because, count(*) FROM deliveries GROUP BY state, journey, channel, because ORDER BY state, journey, channel, because")
	})
	return counts, err
}
