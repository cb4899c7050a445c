// Package intake is an edge, where the formats of others are met.
package intake

import _ "github.com/valyala/fastjson"
