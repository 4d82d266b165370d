"""A repository server: issues, files, pull requests, of public and private repositories."""

import base64
import json

from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ToolError

from sample_data import texts
from sample_data.script import seeded
from sample_data.servers import callers, planted

_FILES = ("README.md", "src/client.py", "src/retry.py", "docs/quickstart.md", "CHANGELOG.md", "tests/test_retry.py")


def build(name: str, version: str) -> MCPServer:
    """The server."""
    server = MCPServer(name, version=version)

    @server.tool()
    def list_issues(repo: str, state: str = "open") -> str:
        """List the issues of a repository, newest first."""
        callers.check(f"github:{repo}")
        random = seeded("issues", repo, state)
        numbers = sorted(random.sample(range(400, 480), random.randint(3, 6)), reverse=True)
        rows = [{"number": number, "title": texts.ticket(number)[0], "author": _login(number)} for number in numbers]
        for number in planted.ISSUES if repo == planted.PUBLIC_REPOSITORY else ():
            rows.insert(0, {"number": number, "title": planted.ISSUES[number][0], "author": "helpful-stranger"})
        return json.dumps({"repository": repo, "private": _private(repo), "issues": rows})

    @server.tool()
    def get_issue(repo: str, number: int) -> str:
        """Get one issue with its text and comments."""
        callers.check(f"github:{repo}")
        title, body = planted.ISSUES.get(number) or texts.ticket(number)
        comments = [f"{_login(number + 7)}: I see the same with 2.4.", f"{_login(number + 3)}: Can you share a log?"]
        return json.dumps(
            {
                "number": number,
                "title": title,
                "body": body,
                "comments": comments[: number % 3],
                "private": _private(repo),
            }
        )

    @server.tool()
    def get_pull_request(repo: str, number: int) -> str:
        """Get a pull request: title, text, changed files and the diff."""
        callers.check(f"github:{repo}")
        random = seeded("pull", repo, number)
        changed = random.sample(_FILES, random.randint(1, 3))
        diff = "\n".join(f"--- a/{path}\n+++ b/{path}\n@@ -{number % 90 + 1},4 +{number % 90 + 1},6 @@\n{_code(path, number)}" for path in changed)
        return json.dumps({"number": number, "title": f"Fix {texts.ticket(number)[0]}", "files": changed, "diff": diff})

    @server.tool()
    def get_file_contents(repo: str, path: str, ref: str = "main") -> str:
        """Get the contents of a file in a repository at a branch, tag or commit."""
        callers.check(f"github:{repo}")
        if (repo, path) in planted.REPOSITORY_FILES:
            return planted.REPOSITORY_FILES[repo, path]
        if not path.endswith((".md", ".py", ".toml", ".yml")):
            raise ToolError(f"404 Not Found: {repo}/{path} at {ref}")
        random = seeded("file", repo, path)
        return f"# {path}\n\n{texts.document(random)}\n" if path.endswith(".md") else _code(path, len(repo))

    @server.tool()
    def list_repositories(owner: str, visibility: str = "all") -> str:
        """List the repositories of an owner: all, public or private."""
        callers.check(f"github:{owner}")
        rows = [{"name": repo, "private": _private(repo)} for repo in texts.REPOSITORIES + texts.PRIVATE_REPOSITORIES]
        return json.dumps([row for row in rows if visibility == "all" or row["private"] == (visibility == "private")])

    @server.tool()
    def create_pull_request(repo: str, title: str, body: str, head: str, base: str = "main") -> str:
        """Open a pull request."""
        callers.check(f"github:{repo}")
        number = seeded("new pull", repo, title).randint(500, 900)
        return json.dumps({"number": number, "url": f"https://github.example/{repo}/pull/{number}", "private": _private(repo)})

    @server.tool()
    def add_issue_comment(repo: str, number: int, body: str) -> str:
        """Comment on an issue or a pull request."""
        callers.check(f"github:{repo}")
        return json.dumps({"url": f"https://github.example/{repo}/issues/{number}#comment", "length": len(body)})

    @server.tool()
    def create_release(repo: str, tag: str, notes: str) -> str:
        """Publish a release with its notes."""
        callers.check(f"github:{repo}")
        digest = base64.b16encode(seeded("commit", repo, tag).randbytes(4)).decode().lower()
        return json.dumps({"tag": tag, "commit": digest, "url": f"https://github.example/{repo}/releases/{tag}"})

    return server


def _private(repo: str) -> bool:
    return repo in texts.PRIVATE_REPOSITORIES


def _login(number: int) -> str:
    return texts.person(seeded("login", number)).lower().replace(" ", "-")


def _code(path: str, number: int) -> str:
    name = path.rpartition("/")[2].partition(".")[0]
    head = f"def {name}_{number}(attempt: int) -> float:\n+    if attempt > {number % 5 + 2}:\n"
    return head + "+        raise TimeoutError\n     return 0.2 * 2**attempt\n"
