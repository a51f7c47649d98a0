package local

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"regulars/events"
	"regulars/infra/topology"
	"regulars/shared/loyalty"
	"regulars/shared/strict"
)

// control adds the routes by which tests and tours steer the host.
func (h *Host) control(mux *http.ServeMux) {
	mux.HandleFunc("GET /_local/clock", func(w http.ResponseWriter, r *http.Request) { h.showClock(w) })
	mux.HandleFunc("PUT /_local/clock", h.setClock)
	mux.HandleFunc("POST /_local/schedules/{name}/run", h.runSchedule)
	mux.HandleFunc("PUT /_local/uploads/{program}/{id}", h.upload)
	mux.HandleFunc("GET /_local/events", func(w http.ResponseWriter, r *http.Request) {
		if err := h.outbox.Drain(r.Context()); err != nil {
			fail(w, http.StatusInternalServerError, err)
			return
		}
		list, err := h.outbox.List()
		if err != nil {
			fail(w, http.StatusInternalServerError, err)
			return
		}
		show(w, http.StatusOK, map[string]any{"data": list})
	})
	mux.HandleFunc("GET /_local/messages", func(w http.ResponseWriter, r *http.Request) {
		show(w, http.StatusOK, map[string]any{"data": []events.Event{}}) // nothing sends to members yet
	})
}

func (h *Host) showClock(w http.ResponseWriter) {
	show(w, http.StatusOK, map[string]any{"now": h.Clock.Now().UTC()})
}

func (h *Host) setClock(w http.ResponseWriter, r *http.Request) {
	var q struct {
		Now *time.Time `json:"now"`
	}
	var raw json.RawMessage
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<10)).Decode(&raw); err != nil {
		fail(w, http.StatusBadRequest, loyalty.Malformed("/", "", "is not JSON"))
		return
	}
	if err := strict.Decode(raw, &q); err != nil {
		fail(w, http.StatusBadRequest, err)
		return
	}
	if q.Now == nil {
		h.Clock.Set(time.Time{})
	} else {
		h.Clock.Set(*q.Now)
	}
	h.showClock(w)
}

func (h *Host) runSchedule(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	i := slices.IndexFunc(topology.Schedules, func(s topology.Schedule) bool { return s.Name == name })
	if i < 0 {
		fail(w, http.StatusNotFound, loyalty.NotFound("schedule"))
		return
	}
	report, err := h.schedule(r.Context(), topology.Schedules[i])
	if err != nil {
		fail(w, http.StatusInternalServerError, err)
		return
	}
	show(w, http.StatusOK, report)
}

func show(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(body); err != nil {
		slog.Error("answer not sent", "error", err)
	}
}

// fail shows the whole error: whoever reaches these routes runs the host.
func fail(w http.ResponseWriter, status int, err error) {
	show(w, status, map[string]any{"status": status, "detail": err.Error()})
}
