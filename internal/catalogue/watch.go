package catalogue

import "rapport/internal/core/product"

// look is what a keeper is told of the rest of the process. It is set before the
// first update.
type look struct {
	low     func() int64
	changed func()
}

// Low sets what says how many pieces are few. Default: product.LowStock.
func (k *Keeper) Low(few func() int64) { k.low = few }

// OnChange sets what is called after changes are in the journal.
func (k *Keeper) OnChange(changed func()) { k.changed = changed }

func (k *Keeper) few() int64 {
	if k.low == nil {
		return product.LowStock
	}
	return k.low()
}

// committed tells whoever waits for changes that there are some, unless writing
// them failed.
func (k *Keeper) committed(err error, changes int) error {
	if err == nil && changes > 0 && k.changed != nil {
		k.changed()
	}
	return err
}
