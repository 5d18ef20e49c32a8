"""A small Kaggle on the loopback, for the real client: it keeps datasets and kernels, remembers requests, and can fail.

The client runs unmodified. ``KAGGLE_API_ENVIRONMENT=LOCALHOST`` makes it speak plain HTTP to ``localhost``, and the
proxy variables bring that, and whatever else it might ask for, to this server's port. A request for another host is
remembered in ``foreign`` and refused.
"""

import io
import json
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

FAILURES = (
    *("upload forbidden", "upload interrupted", "service down", "status down", "not signed in"),
    *("dataset refused", "dataset never ready", "dataset failed", "another version made", "no version number"),
    *("dataset not shown", "dataset never shown"),
    *("push refused", "source rejected", "session error", "session endless", "version not run"),
    *("files truncated", "files packed", "submissions used up", "no team", "limits down"),
    *("output truncated", "output missing", "output outside", "submission refused", "submission unrecorded"),
)
PAGE_SIZE = 2
READY_AFTER = 2
"""Times that the status is asked for before a dataset is ready."""
SESSION = ("QUEUED", "RUNNING", "COMPLETE")


class Refusal(Exception):
    """An answer with an HTTP status that is an error."""

    def __init__(self, code: int, message: str):
        super().__init__(message)
        self.code = code


@dataclass
class Dataset:
    """A dataset as the server keeps it: its latest version's files, unpacked, and how often its status was asked."""

    files: dict[str, bytes]
    facts: dict
    version: int = 1
    asked: int = 0


@dataclass
class Kernel:
    """A kernel: what was pushed, version by version, and how far its latest session is."""

    pushes: list[dict] = field(default_factory=list)
    asked: int = 0


@dataclass
class LoopbackKaggle:
    """The server's memory. ``failing`` names what goes wrong, of ``FAILURES``."""

    port: int = 0
    failing: set[str] = field(default_factory=set)
    datasets: dict[str, Dataset] = field(default_factory=dict)
    kernels: dict[str, Kernel] = field(default_factory=dict)
    outputs: dict[str, dict[str, bytes]] = field(default_factory=dict)
    competitions: set[str] = field(default_factory=set)
    submissions: list[dict] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    uploads: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    calls: list[tuple[str, dict]] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    agents: set[str] = field(default_factory=set)

    def called(self, method: str) -> list[dict]:
        """Bodies of the calls of one method."""
        return [body for name, body in self.calls if name == method]

    def fail(self, *what: str) -> None:
        """Switch failures on."""
        assert set(what) <= set(FAILURES), what
        self.failing |= set(what)

    def answer(self, method: str, body: dict) -> dict:
        """Return the answer of an API method."""
        self.calls.append((method, body))
        if "service down" in self.failing:
            raise Refusal(500, "Internal error")
        if "not signed in" in self.failing:
            raise Refusal(401, "Unauthenticated")
        return getattr(self, f"on_{method}")(body)

    def on_GetDatasetStatus(self, body: dict) -> dict:
        if "status down" in self.failing:
            raise Refusal(503, "Try again later")
        dataset = self._dataset(body)
        dataset.asked += 1
        if "dataset never shown" in self.failing or ("dataset not shown" in self.failing and dataset.asked < 2):
            raise Refusal(404, "Not found")
        if "dataset failed" in self.failing:
            return {"status": "FAILED"}
        ready = dataset.asked > READY_AFTER and "dataset never ready" not in self.failing
        return {"status": "READY" if ready else "BLOBS_RECEIVED"}

    def on_GetDataset(self, body: dict) -> dict:
        dataset = self._dataset(body)
        if "no version number" in self.failing:
            return {"ref": f"{body['ownerSlug']}/{body['datasetSlug']}"}
        ready = dataset.asked > READY_AFTER
        return {"currentVersionNumber": dataset.version if ready else dataset.version - 1}

    def on_StartBlobUpload(self, body: dict) -> dict:
        token = f"token-{len(self.uploads) + 1}"
        self.uploads[token] = (body["name"], b"")
        return {"token": token, "createUrl": f"http://localhost/upload/{token}"}

    def on_CreateDataset(self, body: dict) -> dict:
        ref = f"{body['ownerSlug']}/{body['slug']}"
        if "dataset refused" in self.failing:
            return {"status": "error", "error": "The requested title is already in use by a dataset."}
        self.datasets[ref] = Dataset(self._unpacked(body["files"]), body)
        return {"ref": f"/{ref}", "url": f"https://www.kaggle.com/datasets/{ref}", "status": "ok"}

    def on_CreateDatasetVersion(self, body: dict) -> dict:
        dataset = self._dataset(body)
        if "dataset refused" in self.failing:
            return {"status": "error", "error": "The dataset is locked."}
        dataset.files, dataset.facts = self._unpacked(body["body"]["files"]), body
        dataset.version, dataset.asked = dataset.version + 1, 0
        ref = f"{body['ownerSlug']}/{body['datasetSlug']}"
        return {"ref": f"/{ref}", "url": f"https://www.kaggle.com/datasets/{ref}", "status": "ok"}

    def on_SaveKernel(self, body: dict) -> dict:
        if "push refused" in self.failing:
            return {"error": "Maximum batch GPU session count of 2 reached."}
        ref = body["slug"]
        rejected = {
            "invalidDatasetSources": [s for s in body.get("datasetDataSources", []) if not self._is_ready(s)],
            "invalidCompetitionSources": [
                s for s in body.get("competitionDataSources", []) if s not in self.competitions
            ],
            "invalidKernelSources": [
                s for s in body.get("kernelDataSources", []) if "/".join(s.split("/")[:2]) not in self.kernels
            ],
        }
        if "source rejected" in self.failing:
            rejected["invalidDatasetSources"] = body["datasetDataSources"]
        kernel = self.kernels.setdefault(ref, Kernel())
        kernel.pushes.append(body)
        kernel.asked = 0
        number = {} if "version not run" in self.failing else {"versionNumber": len(kernel.pushes)}
        return {"ref": f"/{ref}", "url": f"https://www.kaggle.com/code/{ref}", **number, **rejected}

    def on_GetKernel(self, body: dict) -> dict:
        kernel = self._kernel(body)
        extra = 1 if "another version made" in self.failing else 0
        return {"metadata": {"currentVersionNumber": len(kernel.pushes) + extra, "ref": body["kernelSlug"]}, "blob": {}}

    def on_GetKernelSessionStatus(self, body: dict) -> dict:
        kernel = self._kernel(body)
        kernel.asked += 1
        if "session error" in self.failing:
            return {"status": "ERROR", "failureMessage": "Your notebook was stopped: it used too much memory."}
        last = len(SESSION) - 1 - ("session endless" in self.failing)
        return {"status": SESSION[min(kernel.asked - 1, last)]}

    def on_ListKernelSessionOutput(self, body: dict) -> dict:
        self._kernel(body)
        ref = f"{body['userName']}/{body['kernelSlug']}"
        first = int(body.get("pageToken") or 0)
        names = sorted(self.outputs.get(ref, {}))
        page = [
            {"fileName": name, "url": f"http://localhost/output/{ref}/{name}"}
            for name in names[first : first + PAGE_SIZE]
        ]
        if "output outside" in self.failing:
            page[0]["fileName"] = "../outside.csv"
        more = {"nextPageToken": str(first + PAGE_SIZE)} if first + PAGE_SIZE < len(names) else {}
        return {"files": page, "log": '[{"stream_name": "stdout", "data": "done"}]', **more}

    def on_CreateCodeSubmission(self, body: dict) -> dict:
        if "submission refused" in self.failing:
            raise Refusal(400, "You have used all your submissions for today.")
        if "submission unrecorded" in self.failing:
            return {"message": "Could not submit to competition"}
        self.submissions.append(body)
        return {"message": "Successfully submitted to the competition", "ref": 4200 + len(self.submissions)}

    def on_GetSubmissionLimits(self, body: dict) -> dict:
        if "limits down" in self.failing:
            raise Refusal(503, "Try again later")
        self._competition(body)
        made = len(self.submissions)
        if "no team" in self.failing:
            return {}
        left = 0 if "submissions used up" in self.failing else 5 - made
        return {"numToday": made, "numTotal": 10 + made, "numAllowedNow": left}

    def on_ListSubmissions(self, body: dict) -> dict:
        self._competition(body)
        first = int(body.get("pageToken") or 0)
        made = [
            {
                "ref": 4201 + place,
                "date": "2026-11-28T12:00:00Z",
                "status": "PENDING" if place == len(self.submissions) - 1 else "COMPLETE",
                "description": each.get("submissionDescription", ""),
                "privateScore": "0.44" if place == 0 else "",
                "publicScore": "" if place == len(self.submissions) - 1 else f"0.{450 + place}",
            }
            for place, each in enumerate(self.submissions)
        ][::-1]
        more = {"nextPageToken": str(first + PAGE_SIZE)} if first + PAGE_SIZE < len(made) else {}
        return {"submissions": made[first : first + PAGE_SIZE], **more}

    def on_ListDataFiles(self, body: dict) -> dict:
        self._competition(body)
        first, names = int(body.get("pageToken") or 0), sorted(self.files)
        page = [{"name": name, "totalBytes": len(self.files[name])} for name in names[first : first + PAGE_SIZE]]
        more = {"nextPageToken": str(first + PAGE_SIZE)} if first + PAGE_SIZE < len(names) else {}
        return {"files": page, **more}

    def on_DownloadDataFile(self, body: dict) -> dict:
        self._competition(body)
        return {"redirect": f"http://localhost/file/{body['fileName']}"}

    def file(self, name: str) -> bytes:
        """The bytes of a competition's file as the server sends them."""
        content = self.files[name]
        if "files truncated" in self.failing:
            return content[: len(content) // 2]
        if "files packed" not in self.failing:
            return content
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr(name.rsplit("/", 1)[-1], content)
        return packed.getvalue()

    def _competition(self, body: dict) -> None:
        if body["competitionName"] not in self.competitions:
            raise Refusal(403, "You must accept this competition's rules.")

    def put(self, token: str, content: bytes, byte_range: str | None) -> int:
        """Take the bytes of an upload; return the HTTP status."""
        if "upload forbidden" in self.failing:
            return 403
        name, there = self.uploads[token]
        if byte_range and byte_range.startswith("bytes */"):
            return 200 if len(there) == int(byte_range.split("/")[1]) else 308
        if "upload interrupted" in self.failing and not there:
            self.uploads[token] = (name, content[: len(content) // 2])
            return 503
        self.uploads[token] = (name, there + content if byte_range else content)
        return 200

    def _is_ready(self, ref: str) -> bool:
        owner, slug, *version = ref.split("/")
        dataset = self.datasets.get(f"{owner}/{slug}")
        if dataset is None or not all(1 <= int(each) <= dataset.version for each in version):
            return False
        return dataset.asked > READY_AFTER

    def _dataset(self, body: dict) -> Dataset:
        ref = f"{body['ownerSlug']}/{body['datasetSlug']}"
        if ref not in self.datasets:
            raise Refusal(404, "Not found")
        return self.datasets[ref]

    def _kernel(self, body: dict) -> Kernel:
        ref = f"{body['userName']}/{body['kernelSlug']}"
        if ref not in self.kernels:
            raise Refusal(404, "Not found")
        return self.kernels[ref]

    def _unpacked(self, files: list[dict]) -> dict[str, bytes]:
        """The files of a version as a session sees them: archives are unpacked into folders of their name."""
        found = {}
        for file in files:
            name, content = self.uploads[file["token"]]
            if not name.endswith(".zip"):
                found[name] = content
                continue
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                found |= {f"{name.removesuffix('.zip')}/{inner}": archive.read(inner) for inner in archive.namelist()}
        return found


def client_variables(port: int, home: Path) -> dict[str, str]:
    """Environment variables with which the client knows nothing of this machine and reaches only a port of it."""
    proxy = f"http://127.0.0.1:{port}"
    proxies = {name: proxy for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy")}
    account = {"KAGGLE_USERNAME": "somebody", "KAGGLE_KEY": "0" * 32, "KAGGLE_CONFIG_DIR": str(home)}
    return {"KAGGLE_API_ENVIRONMENT": "LOCALHOST", "HOME": str(home), "TMPDIR": str(home), **account, **proxies}


@contextmanager
def serving() -> Iterator[LoopbackKaggle]:
    """Serve on a free port of the loopback until the block ends."""
    kaggle = LoopbackKaggle()
    handler = type("BoundHandler", (_Handler,), {"kaggle": kaggle})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        kaggle.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield kaggle
        finally:
            server.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    kaggle: LoopbackKaggle

    def do_POST(self) -> None:
        content = self._content()
        path = self._path()
        if path is None:
            return self._send(502)
        try:
            body = json.loads(content or b"{}")
            assert path.startswith("/api/v1/") and self.headers["Authorization"].startswith(("Basic ", "Bearer "))
            answer = self.kaggle.answer(path.rsplit("/", 1)[1], body)
            if "redirect" in answer:
                return self._send(302, headers={"Location": answer["redirect"]})
            return self._send(200, json.dumps(answer).encode())
        except Refusal as refusal:
            return self._send(refusal.code, json.dumps({"code": refusal.code, "message": str(refusal)}).encode())

    def do_PUT(self) -> None:
        content = self._content()
        path = self._path()
        status = 502 if path is None else self.kaggle.put(path.split("/")[-1], content, self.headers["Content-Range"])
        headers = {}
        if path is not None and status == 308:
            stored = len(self.kaggle.uploads[path.split("/")[-1]][1])
            headers = {"Range": f"bytes=0-{stored - 1}"}
        self._send(status, headers=headers)

    def do_GET(self) -> None:
        path = self._path()
        if path is None:
            return self._send(502)
        if path.startswith("/file/"):
            content = self.kaggle.file(unquote(path.removeprefix("/file/")))
            return self._send(200, content, {"Content-Type": "application/octet-stream"})
        _, _, owner, slug, name = path.split("/", 4)
        content = self.kaggle.outputs[f"{owner}/{slug}"][unquote(name)]
        if "output missing" in self.kaggle.failing:
            return self._send(404, b"<html>no such object</html>")
        if "output truncated" in self.kaggle.failing:
            self.close_connection = True
            return self._send(200, content[: len(content) // 2], {"Content-Length": str(len(content))})
        return self._send(200, content)

    def do_CONNECT(self) -> None:
        self.kaggle.foreign.append(f"CONNECT {self.path}")
        self._send(502)

    def _path(self) -> str | None:
        """Path of a request for localhost; None, and remembered, for another host."""
        url = urlsplit(self.path)
        if url.hostname not in ("localhost", None):
            self.kaggle.foreign.append(self.path)
            return None
        self.kaggle.agents.add(self.headers.get("User-Agent", ""))
        return url.path

    def _content(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _send(self, status: int, content: bytes = b"", headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        stated = {"Content-Type": "application/json", "Content-Length": str(len(content)), **(headers or {})}
        for name, value in stated.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Print nothing."""
