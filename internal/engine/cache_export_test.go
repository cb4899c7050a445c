package engine

import "rapport/internal/core/identity"

// Rows are the encoded profiles of a cache.
type Rows struct{ r rows }

// NewRows returns rows that take about so many bytes.
func NewRows(limit int64) *Rows { return &Rows{newRows(limit)} }

func (r *Rows) Put(id identity.ID, hot, rest []byte) { r.r.put(id, hot, rest) }
func (r *Rows) PutHot(id identity.ID, hot []byte)    { r.r.putHot(id, hot) }
func (r *Rows) Take(id identity.ID) (string, bool)   { return r.r.take(id) }
func (r *Rows) Hold(id identity.ID, held bool)       { r.r.hold(id, held) }
func (r *Rows) Drop(id identity.ID)                  { r.r.drop(id) }
func (r *Rows) Shrink()                              { r.r.shrink() }
func (r *Rows) Clear()                               { r.r.clear() }
func (r *Rows) Blocks() (used, limit, most int) {
	return r.r.used, r.r.limit, len(r.r.slabs) * slabBlocks
}
func (r *Rows) Copy(id identity.ID) ([]byte, int, int) { return r.r.copy(&slabs{}, id) }
