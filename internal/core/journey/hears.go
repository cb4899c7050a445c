package journey

import "slices"

// Hears reports whether the event may let a customer into the journey.
func (d *Definition) Hears(name string) bool {
	for _, t := range d.Triggers {
		if t.Event != nil && slices.Contains(t.Event.names, name) {
			return true
		}
	}
	return false
}
