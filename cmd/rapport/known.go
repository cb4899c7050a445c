package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"rapport/internal/core/condition"
	"rapport/internal/predict"
	"rapport/internal/warehouse"
)

// predicted are the names of everything that models say.
func predicted() (names []string) {
	for _, m := range append(predict.Models(), predict.Behaviour("", nil)...) {
		names = append(names, m.About().Predicts...)
	}
	slices.Sort(names)
	return names
}

// knowing says what definitions may name: what models say, and, out of the warehouse,
// what was heard.
type knowing struct {
	warehouse func() warehouse.Warehouse

	mu     sync.Mutex
	at     time.Time
	events []string
}

const (
	// knownFor is how long a list of heard events is taken for the present one.
	knownFor = time.Minute
	// maxHeard bounds the list: a shop has some dozen names.
	maxHeard = 5000
	// hearFor bounds how long a check waits for it; it does without then.
	hearFor = 5 * time.Second
)

// known returns the lists. A warehouse that does not answer has heard nothing, and no
// event is doubted.
func (k *knowing) known(ctx context.Context) *condition.Known {
	k.mu.Lock()
	defer k.mu.Unlock()
	if w := k.warehouse(); w != nil && time.Since(k.at) > knownFor {
		if events, err := heardNames(ctx, w); err == nil {
			k.events, k.at = events, time.Now()
		}
	}
	return &condition.Known{Predictions: predicted(), Events: k.events}
}

// heardNames returns the names of everything that customers did, the most frequent
// first.
func heardNames(ctx context.Context, w warehouse.Warehouse) (names []string, err error) {
	limits := warehouse.All
	limits.Rows, limits.Time = maxHeard, hearFor
	rows, err := w.Query(ctx, "SELECT name, count(*) AS n FROM events WHERE name != '' GROUP BY name ORDER BY n DESC, name", nil, limits)
	if err != nil {
		return nil, err
	}
	for row := rows.Next(); row != nil; row = rows.Next() {
		if name, ok := row[0].(string); ok {
			names = append(names, name)
		}
	}
	return names, errors.Join(rows.Err(), rows.Close())
}

// lazyKnown is known for a directory that no server uses: the warehouse, if there is
// one, is opened by the first who asks, and holds what the last server put into it.
func (d *directory) lazyKnown(logger *slog.Logger) func(context.Context) *condition.Known {
	k := &knowing{warehouse: func() warehouse.Warehouse { return d.tables.store() }}
	return func(ctx context.Context) *condition.Known {
		if _, err := os.Stat(filepath.Join(d.dir, warehouseDir)); err == nil && d.tables == nil {
			if err := d.openTables(ctx, "duckdb", logger); err != nil {
				logger.Warn("what was heard is not compared with the definitions: the warehouse does not open", "error", err)
			}
		}
		return k.known(ctx)
	}
}
