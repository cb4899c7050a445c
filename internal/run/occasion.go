package run

import "rapport/internal/core/insight/occasion"

// Occasions returns the occasions that the definitions in force declare.
func (n *Node) Occasions() []*occasion.Definition {
	if p := n.Engine.Program(); p != nil {
		return p.Occasions.All()
	}
	return nil
}
