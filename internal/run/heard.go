package run

import (
	"context"

	"rapport/internal/core/identity"
)

// append makes entries durable and tells whoever learns from them at once.
func (n *Node) append(ctx context.Context, entries []identity.Addressed) error {
	if err := n.Engine.Append(ctx, entries); err != nil {
		return err
	}
	if n.o.Heard != nil {
		n.o.Heard(entries)
	}
	return nil
}
