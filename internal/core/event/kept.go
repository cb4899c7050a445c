package event

// Names of events that change what a shop keeps of a customer beside traits. They
// come from the shop's own servers or from the API, never from a page: a key out of
// a page's source may not put anybody on a list.
const (
	// ListJoined puts the customer on a list that is kept by hand: list.
	ListJoined = "List Joined"
	// ListLeft takes the customer off it: list.
	ListLeft = "List Left"
	// ObjectUpdated brings one thing that belongs to the customer, whole: type, id,
	// properties. What stood under the type and id before is gone.
	ObjectUpdated = "Object Updated"
	// ObjectRemoved takes the thing away: type, id.
	ObjectRemoved = "Object Removed"
)
