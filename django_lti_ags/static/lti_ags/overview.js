/* Renews the overview in place: as long as nobody has paused it, and the page is looked at. */
"use strict";

(() => {
    const KEY = "lti-ags-updates";

    function remembered() {
        try {
            return window.sessionStorage.getItem(KEY);
        } catch {
            return null; // storage is switched off
        }
    }

    function remember(value) {
        try {
            window.sessionStorage.setItem(KEY, value);
        } catch {
            // it then holds for this page only
        }
    }

    function start() {
        const live = document.getElementById("lti-ags-live");
        const toggle = document.getElementById("lti-ags-toggle");
        const trouble = document.getElementById("lti-ags-trouble");
        if (!live || !toggle || !trouble) {
            return;
        }
        const calm = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
        let running = (remembered() || (calm ? "paused" : "running")) === "running";
        let asking = false;

        function label() {
            toggle.textContent = running ? toggle.dataset.pause : toggle.dataset.resume;
            toggle.hidden = false;
        }

        /* What the person is doing stays: the focus, what is unfolded, how far a table is scrolled. */
        function replace(fresh) {
            const focused = live.contains(document.activeElement) ? document.activeElement.id : "";
            const unfolded = [...live.querySelectorAll("details[open]")].map((one) => one.id);
            const scrolled = [...live.querySelectorAll(".lti-ags-scroll")].map((one) => [one.id, one.scrollLeft, one.scrollTop]);
            live.replaceChildren(...fresh.childNodes);
            for (const id of unfolded) {
                document.getElementById(id)?.setAttribute("open", "");
            }
            for (const [id, left, top] of scrolled) {
                document.getElementById(id)?.scrollTo({left, top, behavior: "instant"});
            }
            if (focused) {
                document.getElementById(focused)?.focus({preventScroll: true});
            }
        }

        async function renew() {
            if (!running || asking || document.hidden) {
                return;
            }
            asking = true;
            try {
                const answer = await fetch(window.location.href, {credentials: "same-origin", headers: {Accept: "text/html"}});
                const page = new DOMParser().parseFromString(await answer.text(), "text/html");
                const fresh = page.getElementById("lti-ags-live");
                if (!answer.ok || !fresh) {
                    throw new Error("not the overview"); // logged out, say
                }
                if (running) {
                    replace(fresh);
                }
                trouble.textContent = "";
            } catch {
                trouble.textContent = trouble.dataset.text;
            } finally {
                asking = false;
            }
        }

        toggle.addEventListener("click", () => {
            running = !running;
            remember(running ? "running" : "paused");
            label();
            renew();
        });
        label();
        window.setInterval(renew, Number(live.dataset.seconds) * 1000);
    }

    if (document.readyState === "loading") {
        document.addEventListener("DOMContentLoaded", start);
    } else {
        start();
    }
})();
