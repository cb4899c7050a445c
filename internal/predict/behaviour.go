package predict

import "rapport/internal/core/insight/occasion"

// Behaviour returns the models of what customers do, in the order in which they
// run. Dir is where they keep what the next fit needs; occasions returns what the
// definitions in force declare.
func Behaviour(dir string, occasions func() []*occasion.Definition) []Model {
	return []Model{Needs{}, &Intent{Dir: dir}, Rhythms{}, Occasions{Definitions: occasions}, Personas{Dir: dir}}
}
