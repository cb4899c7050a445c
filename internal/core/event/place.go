package event

// Names of events about where a person is and what the shop floor hears.
const (
	// LocationReported says where a person is: latitude, longitude, accuracy in
	// metres. Apps that send context.location need it only where nothing else happens.
	LocationReported = "Location Reported"
	// StoreVisited says that a person was in a store: store_id, and by what it is
	// known: a QR code, a beacon, an aisle, a receipt, the door.
	StoreVisited = "Store Visited"
	// CouponRedeemed says that a coupon was taken: coupon_id or code, order_id.
	CouponRedeemed = "Coupon Redeemed"
	// HandedOver is a fact: a product was looked at on one device and bought on
	// another: from, to, order_id, sku, after (milliseconds).
	HandedOver = "Device Handed Over"
)

// StoreOf returns the id of the store that an event names; empty if it names none.
func StoreOf(e *Event) string { return firstText(e.Props, "store_id", "store") }

// LocationPurpose is what a person agrees to when precise places may be kept of
// them, whichever the channel.
const LocationPurpose = "location"

// CatalogueSource is the source of what the catalogue tells a customer of a product:
// it is about somebody who is known, or about nobody.
const CatalogueSource = "catalogue"

// The classes of device.
const (
	Desktop = "desktop"
	Mobile  = "mobile" // a telephone's browser
	Tablet  = "tablet"
	App     = "app" // the shop's own application, on any device
	TV      = "tv"
	Bot     = "bot"
)

// TillDevice is where something was bought at no device: in a store.
const TillDevice = "till"

// DeviceOf returns the class of the device that the event came from; empty if it
// is not known. The edge writes it beside what the client said.
func DeviceOf(e *Event) string {
	if class := e.Context.Text("device.class"); class != "" {
		return class
	}
	return e.Context.Text("device.type")
}

// Tills reports whether an order was taken in a store.
func Tills(e *Event) bool {
	switch firstText(e.Props, "channel") {
	case "till", "store", "pos", "retail":
		return true
	}
	return false
}
