package run

import (
	"context"
	"slices"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
)

// undoBatch is how many homes are told in one append that an import is undone.
const undoBatch = 500

// Home returns where the event goes first; false if it names nobody.
func (n *Node) Home(e *event.Event) (identity.ID, bool) {
	ids := identity.Of(e)
	if len(ids) == 0 {
		return identity.ID{}, false
	}
	return n.o.Key.Home(ids[0]), true
}

// UndoImport makes the customers at the homes what they would be had the import
// not been. Homes are those that its events went to; one that is named twice, or
// in vain, does no harm, nor does undoing again what was cut short. It returns
// when all of it is applied. By says who wanted it, and is kept in the history.
func (n *Node) UndoImport(ctx context.Context, id, by string, homes []identity.ID) error {
	// An event of the import that is still on its way between two homes would come
	// behind the word that undoes it.
	if err := n.arrived(ctx); err != nil {
		return err
	}
	now := n.Engine.Now()
	for batch := range slices.Chunk(homes, undoBatch) {
		entries := make([]identity.Addressed, len(batch))
		for i, home := range batch {
			var b event.Builder
			b.SetText("import", id).SetText("by", by)
			entries[i] = identity.Addressed{To: home, Event: event.Event{
				ID: event.ID("undo:" + id + ":" + home.String()), Type: event.System, Name: event.ImportUndone, At: now,
				Origin: event.Import, Trust: event.Own, Source: "rapport", Props: b.Object(),
			}}
		}
		if err := n.Engine.Append(ctx, entries); err != nil {
			return err
		}
	}
	return n.arrived(ctx)
}

func (n *Node) arrived(ctx context.Context) error {
	if n.o.Clock.Virtual() {
		return n.Engine.Settle(ctx)
	}
	return n.Engine.Arrived(ctx)
}

// spelling writes an address in the one way in which it is suppressed: a list of
// those who must not be written to may spell it otherwise than the profile does.
func spelling(channel, address string) string {
	kind := identity.Email
	if channel == "sms" || channel == "whatsapp" {
		kind = identity.Phone
	}
	if id, ok := identity.Normal(kind, address); ok {
		return id.Value
	}
	return address
}
