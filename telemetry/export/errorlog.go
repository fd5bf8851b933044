package export

import (
	"fmt"
	"log/slog"

	"github.com/sonde-dev/sonde/telemetry/result"
)

// maxLoggedBytes bounds a line of the log: every series of a scrape may have an
// error, and the first few say what is wrong.
const maxLoggedBytes = 2048

// errorLog gives promhttp a logger.
type errorLog struct{ log *slog.Logger }

// Println implements promhttp.Logger. It is called once for a scrape that is not
// whole.
func (l errorLog) Println(v ...any) {
	l.log.Error("scrape is not whole", "err", result.Truncate(fmt.Sprint(v...), maxLoggedBytes))
}
