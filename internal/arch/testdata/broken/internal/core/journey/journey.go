// Package journey borrows the template engine.
package journey

import _ "github.com/osteele/liquid" // want third-party
