package people

import (
	"slices"

	"rapport/internal/sources/table"
)

// Kind is what a file is about.
type Kind string

// The kinds.
const (
	Customers    Kind = "customers"
	Consents     Kind = "consents"
	Suppressions Kind = "suppressions"
	Events       Kind = "events"
)

// The fields that a column can hold.
const (
	Customer   = "customer" // the shop's own number
	Email      = "email"
	Phone      = "phone"
	Anonymous  = "anonymous" // of a browser or device
	FirstName  = "first_name"
	LastName   = "last_name"
	Name       = "name" // in full
	Country    = "country"
	City       = "city"
	Region     = "region"
	Birthday   = "birthday"
	Locale     = "locale"
	Zone       = "timezone"
	Created    = "created"
	Updated    = "updated"    // when the row was true
	Lists      = "lists"      // static lists and tags, by comma
	Attributes = "attributes" // a JSON object of more traits
	Channel    = "channel"
	Purpose    = "purpose"
	State      = "state" // of a consent
	Date       = "date"
	Began      = "began" // when a consent was asked for, if it was confirmed later
	Evidence   = "evidence"
	Wording    = "wording"
	Explicit   = "explicit" // the consent is a newer one that ends an unsubscribe
	Reason     = "reason"   // of a suppression
	Suppressed = "suppressed"
	Opened     = "opened" // when a message was last opened
	Clicked    = "clicked"
	Event      = "event"
	MessageID  = "message_id"
	Properties = "properties" // a JSON object
	Ignored    = "-ignored"   // not asked for: a vendor's column that says nothing here
)

// fieldsOf are the fields that a kind asks for.
var fieldsOf = map[Kind][]string{
	Customers: {Email, Customer, Phone, FirstName, LastName, Name, Country, City, Region, Birthday, Locale, Zone, Created, Updated, Lists, Attributes, Opened, Clicked},
	Consents:  {Email, Customer, Phone, Channel, Purpose, State, Date, Began, Evidence, Wording, Explicit, Suppressed, Reason},
	Suppressions: {
		Email, Phone, Channel, Purpose, Reason, Date, State, Suppressed,
	},
	Events: {Event, Date, Email, Customer, Phone, Anonymous, MessageID, Properties},
}

// names are the names of columns in files of every origin, as [table.Plain] writes
// them, the surest first.
var names = map[string][]string{
	Customer:   {"customerid", "customer", "userid", "customernumber", "customerno", "memberid", "clientid", "accountid", "kundennummer", "externalid"},
	Email:      {"email", "emailaddress", "customeremail", "mail", "contactemail", "useremail", "emailadresse"},
	Phone:      {"phone", "phonenumber", "mobile", "mobilenumber", "customerphone", "telephone", "telefon", "smsphonenumber"},
	Anonymous:  {"anonymousid", "deviceid", "visitorid"},
	FirstName:  {"firstname", "givenname", "fname", "vorname"},
	LastName:   {"lastname", "familyname", "surname", "lname", "nachname"},
	Name:       {"name", "fullname", "customername"},
	Country:    {"country", "countrycode", "land"},
	City:       {"city", "town", "ort", "stadt"},
	Region:     {"region", "state", "province", "county"},
	Birthday:   {"birthday", "birthdate", "dateofbirth", "dob", "geburtstag"},
	Locale:     {"locale", "language", "lang", "sprache"},
	Zone:       {"timezone"},
	Created:    {"createdat", "created", "datecreated", "signupdate", "registeredat"},
	Updated:    {"updatedat", "updated", "lastupdated", "lastchanged", "modifiedat"},
	Lists:      {"lists", "list", "listname", "tags", "groups"},
	Attributes: {"attributes", "traits", "properties"},
	Channel:    {"channel"},
	Purpose:    {"purpose", "topic"},
	State:      {"state", "status", "consent", "consentstatus", "subscriptionstatus", "optin", "subscribed"},
	Date:       {"date", "timestamp", "consentdate", "consentedat", "optindate", "optintime", "subscribedat", "unsubscribedat", "suppressedat", "createdat", "at", "time", "eventtime", "datum"},
	Evidence:   {"evidence", "source", "method", "optinsource", "how"},
	Wording:    {"wording", "wordingversion", "textversion", "version"},
	Explicit:   {"explicit", "renewed"},
	Reason:     {"reason", "suppressionreason", "type", "cause"},
	Suppressed: {"suppressed"},
	Event:      {"event", "eventname", "action"},
	MessageID:  {"messageid", "eventid", "uuid"},
	Properties: {"properties", "eventproperties", "data"},
}

// known returns the names of columns for files of the vendor.
func known(v Vendor) map[string][]string {
	all := map[string][]string{}
	for field, list := range names {
		all[field] = list
	}
	for field, list := range vendorNames[v] {
		all[field] = append(append([]string{}, list...), names[field]...)
	}
	return all
}

// columns maps the columns of a file. What was said of fields that only another kind
// asks for is passed over: one file may be imported as several kinds.
func columns(t *table.Table, kind Kind, v Vendor, said map[string]string) (table.Columns, error) {
	mine := map[string]string{}
	for column, field := range said {
		elsewhere := false
		for _, fields := range fieldsOf {
			elsewhere = elsewhere || slices.Contains(fields, field)
		}
		if !elsewhere || slices.Contains(fieldsOf[kind], field) {
			mine[column] = field
		}
	}
	return table.MapColumns(t.Header, mine, fieldsOf[kind], known(v))
}

// Fields returns the fields that a kind asks for.
func Fields(k Kind) []string { return slices.Clone(fieldsOf[k]) }

// GuessColumns says what each column of a table holds, as far as it can be told: what is
// said and wrong is left out, for [Import] to complain of.
func GuessColumns(t *table.Table, kind Kind, v Vendor, said map[string]string) ([]string, Vendor) {
	if v == AnyVendor {
		v = vendorOf(t.Header)
	}
	m, err := columns(t, kind, v, said)
	if err != nil {
		if m, err = columns(t, kind, v, nil); err != nil {
			return make([]string, len(t.Header)), v
		}
	}
	return m.Field, v
}
