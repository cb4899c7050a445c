package people

import (
	"slices"
	"strings"

	"rapport/internal/fault"
	"rapport/internal/sources/table"
)

// Vendor is the system that wrote a file. It decides what columns mean beside their
// names.
type Vendor string

// The vendors. Headers are those of their own documentation or source:
//
//   - Klaviyo: "How to export a list or segment to a CSV file",
//     help.klaviyo.com/hc/en-us/articles/115005078687, and "How to manage email
//     suppressions", …/24312135764251. The reasons are those of the API's
//     EmailMarketingSuppression: HARD_BOUNCE, INVALID_EMAIL, SPAM_COMPLAINT,
//     UNSUBSCRIBE, USER_SUPPRESSED.
//   - Mailchimp: "View or export contacts", mailchimp.com/help/view-export-contacts:
//     three files, of subscribed, unsubscribed (UNSUB_TIME, UNSUB_REASON) and cleaned
//     (CLEAN_TIME) members.
//   - dotdigital: the contact's fields and status words of its API,
//     developer.dotdigital.com (Subscribed, Unsubscribed, SoftBounced, HardBounced,
//     IspComplained, MailBlocked, DirectComplaint, PendingOptIn, Suppressed …, and
//     opt-in types Single, Double, VerifiedDouble). The names of the columns of its
//     own CSV could not be seen; they are recognised by these words' names.
//   - listmonk: the export of subscribers in its source, cmd/subscribers.go: uuid,
//     email, name, attributes, status, created_at, updated_at. It does not say which
//     lists somebody has confirmed or left (issue 738), so "enabled" is no consent.
const (
	AnyVendor  Vendor = ""
	Klaviyo    Vendor = "klaviyo"
	Mailchimp  Vendor = "mailchimp"
	Dotdigital Vendor = "dotdigital"
	Listmonk   Vendor = "listmonk"
)

// Vendors are those whose exports are known.
var Vendors = []Vendor{Klaviyo, Mailchimp, Dotdigital, Listmonk}

// signs are columns, as [table.Plain] writes them, that only this vendor's files have:
// all of one row must be there.
var signs = map[Vendor][][]string{
	Klaviyo:    {{"klaviyoid"}, {"emailmarketingconsent"}, {"emailsuppressions"}},
	Mailchimp:  {{"leid", "euid"}, {"optintime", "memberrating"}, {"unsubtime"}, {"cleantime"}},
	Dotdigital: {{"optintype", "emailtype"}, {"optintype", "email", "status"}},
	Listmonk:   {{"uuid", "email", "attributes", "status"}},
}

// vendorOf tells by its header who wrote a file.
func vendorOf(header []string) Vendor {
	written := make([]string, len(header))
	for i, h := range header {
		written[i] = table.Plain(h)
	}
	for _, v := range Vendors {
		for _, all := range signs[v] {
			if !slices.ContainsFunc(all, func(name string) bool { return !slices.Contains(written, name) }) {
				return v
			}
		}
	}
	return AnyVendor
}

// ParseVendor reads a vendor's name.
func ParseVendor(s string) (Vendor, error) {
	v := Vendor(strings.ToLower(strings.TrimSpace(s)))
	if v != AnyVendor && !slices.Contains(Vendors, v) {
		return v, fault.New(fault.Invalid, "exports of klaviyo, mailchimp, dotdigital and listmonk are known, not of "+s)
	}
	return v, nil
}

// vendorNames are the names of columns in the exports of a vendor, before those that
// every file may have.
var vendorNames = map[Vendor]map[string][]string{
	Klaviyo: {
		State: {"emailmarketingconsent"}, Date: {"emailmarketingconsenttimestamp", "suppressedat", "timestamp"}, Suppressed: {"emailsuppressions"},
		Reason: {"suppressionreason", "reason"}, Evidence: {"source"}, Updated: {"lastactive"}, Created: {"profilecreatedon"},
		Region: {"stateregion"}, Opened: {"lastopen"}, Clicked: {"lastclick"}, Lists: {"lists", "list"},
	},
	Mailchimp: {
		Date: {"unsubtime", "cleantime", "confirmtime", "optintime", "lastchanged"}, Began: {"optintime"}, Evidence: {"optinip"}, Updated: {"lastchanged"},
		Created: {"optintime"}, Reason: {"unsubreason"}, Country: {"cc"}, Lists: {"tags"},
	},
	Dotdigital: {
		State: {"status"}, Date: {"datesubscribed", "optindate", "lastsubscribed", "dateremoved", "datesuppressed", "datecreated"}, Evidence: {"optintype"},
		Reason: {"reason", "suppressionreason", "status"}, FirstName: {"firstname"}, Lists: {"addressbooks", "lists"},
	},
	Listmonk: {
		State: {"status"}, Reason: {"status"}, Name: {"name"}, Attributes: {"attributes"}, Created: {"createdat"}, Updated: {"updatedat"}, Date: {"updatedat"}, Ignored: {"uuid"},
	},
}
