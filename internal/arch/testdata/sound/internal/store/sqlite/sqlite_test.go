package sqlite_test

import (
	_ "rapport/internal/store/sqlite"
	_ "rapport/internal/store/storetest"
)
