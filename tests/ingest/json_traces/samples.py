"""A few lines of each format, in the shape that its source documents; names are reserved ones."""

import json
from typing import Any

AT = "2026-11-20T10:00:00Z"
LATER = "2026-11-20T10:00:01.500Z"


def rpc(id_: Any, method: str, **params: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": id_, "method": method, "params": params}


def result(id_: Any, **told: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": id_, "result": told}


def passed(direction: str, message: Any, at: str = AT) -> dict[str, Any]:
    return {"session_id": "s1", "timestamp": at, "direction": direction, "method": None, "server_command": "npx files", "raw": message}


TEXT = [{"type": "text", "text": "done"}]
TOOL = {"name": "read_file", "description": "Reads a file", "inputSchema": {"type": "object"}}
CALL = rpc(5, "tools/call", name="read_file", arguments={"path": "a"})
SCHEMA = '{"type": "object"}'

Lines = list[dict[str, Any] | str]

SAMPLES: dict[str, Lines] = {
    "call_lines": [{"tool": "t", "session_id": "s", "timestamp": AT, "arguments": {"a": 1}, "user_prompt": "do it"}],
    "json_rpc": [
        passed("client_to_server", rpc(0, "initialize", clientInfo={"name": "desk", "version": "1"})),
        passed("server_to_client", result(0, serverInfo={"name": "files", "version": "2"})),
        passed("client_to_server", rpc(1, "tools/list")),
        passed("server_to_client", result(1, tools=[TOOL])),
        passed("client_to_server", rpc("2", "tools/call", name="read_file", arguments={"path": "a"})),
        passed("server_to_client", result("2", content=TEXT, isError=False), LATER),
    ],
    "claude_desktop_log": [
        f"{AT} [files] [info] Initializing server...",
        f"{AT} [files] [info] Message from client: {json.dumps(CALL)} {{ metadata: undefined }}",
        f"{LATER} [files] [info] Message from server: {json.dumps(result(5, content=TEXT))} {{ metadata: undefined }}",
    ],
    "mcp_server_logger": [
        f"{AT} [STDIN] {json.dumps(CALL)}",
        f"{AT} [STDERR] warming up",
        f"{LATER} [STDOUT] {json.dumps(result(5, content=TEXT))}",
    ],
    "claude_code_transcripts": [
        {"type": "summary", "summary": "about files", "leafUuid": "u1"},
        {"type": "user", "uuid": "u1", "sessionId": "s1", "timestamp": AT, "version": "2.1.0", "message": "read it please"},
        {"type": "assistant", "uuid": "u2", "sessionId": "s1", "timestamp": AT, "version": "2.1.0", "cwd": "project", "isSidechain": False,
         "message": {"role": "assistant", "content": [{"type": "text", "text": "reading"}, {
             "type": "tool_use", "id": "toolu_1", "name": "mcp__files__read_file", "input": {"path": "a"}}]}},
        {"type": "user", "uuid": "u3", "sessionId": "s1", "timestamp": LATER, "toolUseResult": "done",
         "message": {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": TEXT}]}},
    ],
    "codex_rollouts": [
        {"timestamp": AT, "type": "session_meta", "payload": {"id": "s1", "cli_version": "0.169.0", "cwd": "project"}},
        {"timestamp": AT, "type": "response_item", "payload": {"type": "message", "role": "user", "content": [
            {"type": "input_text", "text": "<environment_context>\n</environment_context>"}]}},
        {"timestamp": AT, "type": "response_item", "payload": {"type": "message", "role": "user", "content": [
            {"type": "input_text", "text": "read it"}]}},
        {"timestamp": AT, "type": "response_item", "payload": {
            "type": "function_call", "name": "read_file", "namespace": "mcp__files", "arguments": '{"path": "a"}', "call_id": "call_1"}},
        {"timestamp": LATER, "type": "event_msg", "payload": {"type": "item_completed", "item": {
            "type": "McpToolCall", "id": "call_1", "server": "files", "tool": "read_file", "status": "failed",
            "duration": {"secs": 1, "nanos": 500000000}}}},
        {"timestamp": LATER, "type": "response_item", "payload": {
            "type": "function_call_output", "call_id": "call_1", "output": [{"type": "input_text", "text": "done"}]}},
        {"timestamp": LATER, "type": "response_item", "payload": {
            "type": "function_call", "name": "shell", "arguments": '{"command": ["ls"]}', "call_id": "call_2"}},
        {"timestamp": LATER, "type": "response_item", "payload": {
            "type": "function_call_output", "call_id": "call_2", "output": "exec command rejected by user"}},
        {"timestamp": LATER, "type": "event_msg", "payload": {
            "type": "mcp_tool_call_end", "call_id": "call_3", "invocation": {"server": "files", "tool": "list", "arguments": {"path": "b"}},
            "result": {"Ok": {"content": TEXT, "isError": False}}, "duration": {"secs": 0, "nanos": 1000000}}},
    ],
    "codex_exec": [
        {"type": "thread.started", "thread_id": "s1"}, {"type": "turn.started"},
        {"type": "item.started", "item": {"id": "item_1", "type": "mcp_tool_call", "server": "files", "tool": "read_file", "status": "in_progress"}},
        {"type": "item.completed", "item": {
            "id": "item_1", "type": "mcp_tool_call", "server": "files", "tool": "read_file", "arguments": {"path": "a"},
            "result": {"content": TEXT, "structured_content": None}, "error": None, "status": "completed"}},
        {"type": "item.completed", "item": {
            "id": "item_2", "type": "command_execution", "command": "ls", "aggregated_output": "no", "exit_code": 1, "status": "failed"}},
        {"type": "item.completed", "item": {"id": "item_3", "type": "agent_message", "text": "it is read"}},
    ],
    "gemini_cli_chats": [
        {"sessionId": "s1", "projectHash": "aa", "startTime": AT, "lastUpdated": AT, "kind": "main"},
        {"$set": {"messages": [{"id": "m0", "timestamp": AT, "type": "user", "content": [{"text": "<session_context>here</session_context>"}]}]}},
        {"id": "m1", "timestamp": AT, "type": "user", "content": [{"text": "read it"}]},
        {"id": "m2", "timestamp": AT, "type": "gemini", "content": "reading", "thoughts": []},
        *({"id": "m2", "timestamp": AT, "type": "gemini", "content": "reading", "toolCalls": [{
            "id": "c1", "name": "mcp_files_read_file", "args": {"path": "a"}, "status": status, "timestamp": LATER,
            "displayName": "read_file (files MCP Server)", "result": [{"functionResponse": {"id": "c1", "response": {"output": "done"}}}]}]}
          for status in ("executing", "success", "success")),
    ],
    "otel_js": [
        {"hrTime": [1763632800, 500000000], "hrTimeObserved": [1763632800, 500000000], "_body": "Tool call: read_file. Success: true.",
         "resource": {"_rawAttributes": [["service.name", "gemini-cli"], ["service.version", "v22.1.0"]]},
         "instrumentationScope": {"name": "gemini-cli"}, "attributes": {
             "event.name": "gemini_cli.tool_call", "session.id": "s1", "function_name": "read_file", "function_args": '{"path": "a"}',
             "tool_type": "native", "success": True, "duration_ms": 12}},
        {"_spanContext": {"traceId": "5b8efff798038103d269b633813fc60c", "spanId": "eee19b7ec3c1b174", "traceFlags": 1}, "kind": 0,
         "parentSpanContext": {"traceId": "5b8efff798038103d269b633813fc60c", "spanId": "eee19b7ec3c1b173"}, "name": "execute_tool drop",
         "startTime": [1763632801, 0], "endTime": [1763632802, 500000000], "status": {"code": 2, "message": "no"}, "events": [],
         "resource": {"attributes": {"service.name": "copilot-chat"}}, "instrumentationScope": {"name": "copilot-chat", "version": "0.62.0"},
         "attributes": {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "drop", "gen_ai.conversation.id": "s2"}},
        {"resource": {"attributes": {}}, "scopeMetrics": []},
    ],
    "chat_messages": [{"session_id": "s1", "timestamp": AT, "messages": [
        {"role": "system", "content": "be brief"}, {"role": "user", "content": "read it"},
        {"role": "assistant", "content": None, "tool_calls": [
            {"id": "call_1", "type": "function", "function": {"name": "read_file", "arguments": '{"path": "a"}'}}]},
        {"role": "tool", "tool_call_id": "call_1", "content": "done"},
    ]}],
    "langchain_messages": [{"thread_id": "s1", "messages": [
        {"type": "human", "content": "read it"},
        {"type": "ai", "content": "", "tool_calls": [{"name": "read_file", "args": {"path": "a"}, "id": "call_1", "type": "tool_call"}],
         "additional_kwargs": {"tool_calls": [{"id": "call_1", "type": "function", "function": {"name": "read_file", "arguments": "{}"}}]}},
        {"type": "tool", "content": "done", "tool_call_id": "call_1", "name": "read_file", "status": "success", "artifact": None},
    ]}],
    "openai_agents": [
        {"object": "trace", "id": "trace_1", "workflow_name": "w", "group_id": "s1", "metadata": {"user_id": "ann@example.com"}},
        {"object": "trace.span", "id": "span_1", "trace_id": "trace_1", "parent_id": None, "started_at": AT, "ended_at": LATER,
         "span_data": {"type": "agent", "name": "helper"}, "error": None},
        {"object": "trace.span", "id": "span_2", "trace_id": "trace_1", "parent_id": "span_1", "started_at": AT, "ended_at": LATER, "error": None,
         "span_data": {"type": "function", "name": "read_file", "input": '{"path": "a"}', "output": "done", "mcp_data": {"server": "files"}}},
        {"object": "trace.span", "id": "span_3", "trace_id": "trace_1", "parent_id": "span_1", "started_at": LATER, "ended_at": LATER,
         "span_data": {"type": "function", "name": "write_file", "input": "{}", "output": "An error occurred", "mcp_data": None},
         "error": {"message": "Error running tool (non-fatal)", "data": {"tool_name": "write_file", "error": "no such file"}}},
    ],
    "toolhive": [
        {"audit_id": "a1", "type": "mcp_tool_call", "logged_at": AT, "outcome": "denied", "component": "files",
         "source": {"type": "network", "value": "192.0.2.1", "extra": {"request_id": "r1"}},
         "subjects": {"user": "ann@example.com", "client_name": "desk", "client_version": "1"},
         "target": {"endpoint": "/messages", "method": "POST", "type": "tool", "name": "read_file"},
         "metadata": {"extra": {"duration_ms": 150, "transport": "streamable-http"}},
         "data": {"request": {"path": "a"}}},
        {"audit_id": "a2", "type": "http_request", "logged_at": AT, "outcome": "denied", "component": "files", "source": {"value": "192.0.2.1"}},
    ],
    "agentgateway_log": [
        f"{AT}\tinfo\trequest gateway=default/gw listener=http route=default/mcp src.addr=192.0.2.1:4000 http.method=POST http.status=200 "
        'protocol=mcp mcp.method.name=tools/call mcp.target=files gen_ai.tool.name=read_file mcp.session.id=s1 jwt.sub=ann error="a \\"b\\" c" '
        "duration=12ms",
        {"timestamp": AT, "gateway": "gw", "http.status": 401, "src.addr": "192.0.2.1:4000", "duration": "1ms"},
    ],
    "kuadrant": [
        f'time={AT} level=INFO msg="tool call" audit=true user=ann tool=read_file server=mcp-test/files status=200 request_id=r1 session=jti:s1',
    ],
    "kong_ai_mcp": [{
        "started_at": 1763632800000, "client_ip": "192.0.2.1", "service": {"name": "orders"}, "response": {"status": 200},
        "ai": {"mcp": {
            "rpc": [{"method": "tools/call", "latency": 6, "id": "2", "tool_name": "list_orders", "response_body_size": 5030}],
            "audit": [
                {"primitive": "tool", "primitive_name": "list_orders", "action": "allow", "scope": "primitive", "consumer": {"name": "ann"}},
                {"primitive": "tool", "primitive_name": "drop_orders", "action": "deny", "scope": "primitive", "consumer": {"name": "ann"}},
            ],
        }},
    }, {
        "started_at": 1763632801000, "client_ip": "192.0.2.1", "response": {"status": 200}, "consumer": {"username": "alice"},
        "ai": {"mcp": {
            "mcp_session_id": "s2", "mcp_server_id": "pets", "protocol_version": "2025-11-25",
            "rpc": [{"method": "tools/call", "latency": 46, "id": "2", "tool_name": "get_pet", "response_body_size": 290, "payload": {
                "request": '{"params":{"name":"get_pet","arguments":{"id":7}},"id":2,"jsonrpc":"2.0","method":"tools/call"}',
                "response": '{"result":{"isError":true,"content":[{"type":"text","text":"no such pet"}]},"id":2,"jsonrpc":"2.0"}'}}],
            "audit": [
                {"primitive": "tool", "primitive_name": "get_pet", "scope": "primitive", "action": "allow",
                 "consumer": {"id": "c-1", "name": "admins", "identifier": "consumer_group"}},
                {"primitive": "tool", "scope": "primitive", "action": "deny", "consumer": {"id": "c-1"}},
            ],
        }},
    }, {
        "started_at": 1763632802000, "response": {"status": 403}, "ai": {"mcp": {"mcp_session_id": "s2", "audit": [
            {"primitive": "tool", "primitive_name": "drop_pet", "scope": "primitive", "action": "deny",
             "consumer": {"id": "c-2", "name": "support", "identifier": "consumer_group"}}]}},
    }],
    "envoy_ai_gateway_log": [{
        "mcp_backend": "files", "mcp_method": "tools/call", "mcp_request_id": "3", "mcp_session_id": "s1", "response_code": 200, "start_time": AT,
        "duration": 12, "x-request-id": "-",
    }, {
        "mcp.method.name": "tools/call", "mcp.provider.name": "files", "mcp.tool.name": "drop", "session.id": "s1", "agent.id": "planner",
        "response_code": 403, "time": AT, "duration_ms": 3, "jsonrpc.request.id": "4",
    }],
    "contextforge_siem": [{
        "schema_version": "1.0", "event_id": "evt_1", "timestamp": AT, "event_type": "authentication_failure", "severity": "HIGH",
        "description": "wrong password", "source": {"service": "mcpgateway"}, "actor": {"user_email": "ann@example.com", "client_ip": "192.0.2.1"},
    }],
    "docker_gateway_audit": [
        "  - Calling tool read_file with arguments: {path: string}", "  > Calling tool read_file took: 1.2s",
        {"actor_type": "user", "actor_id": "ann", "trigger": "call", "target_type": "tool", "server_name": "files", "tool_name": "drop",
         "client_name": "desk", "session_id": "s1", "result": "denied", "outcome_reason": "not allowed", "policy_id": "p1", "timestamp": AT},
    ],
    "pipelock": [
        {"severity": "warn", "type": "blocked", "timestamp": AT, "pipelock_instance": "p", "fields": {
            "method": "GET", "url": "https://files.example.com/x", "scanner": "dlp", "reason": "secret", "client_ip": "192.0.2.1"}},
        {"severity": "warn", "type": "mcp_unknown_tool", "timestamp": AT, "pipelock_instance": "p", "fields": {"tool": "drop", "action": "block"}},
    ],
    "falco_prempti": [
        {"time": AT, "hostname": "desk", "priority": "Critical", "rule": "Deny recursive removal", "source": "coding_agent", "uuid": "u1",
         "output": "denied", "output_fields": {"tool.name": "Bash", "tool.input_command": "rm -rf /", "verdict": "deny", "session.id": "s1"}},
        {"time": AT, "hostname": "desk", "priority": "Notice", "rule": "Ask before configuration", "source": "coding_agent", "uuid": "u2",
         "output": "asked", "output_fields": {"tool.name": "Edit", "tool.file_path": "/etc/hosts", "verdict": "ask", "session.id": "s1"}},
    ],
    "agentsh": [
        {"type": "mcp_tool_changed", "timestamp": AT, "session_id": "s1", "server_id": "files", "tool_name": "read_file", "previous_hash": "aa",
         "new_hash": "bb", "changes": ["description"]},
        {"type": "mcp_tool_called", "timestamp": AT, "session_id": "s1", "server_id": "files", "tool_name": "read_file", "jsonrpc_id": 2,
         "input": {"path": "a"}},
    ],
    "mcp_defender": [
        {"id": "1", "date": AT, "appName": "desk", "serverName": "files", "serverVersion": "2", "toolName": "read_file", "toolArgs": {"path": "a"},
         "allowed": False, "isResponse": False, "state": "done"},
        {"id": "1", "date": AT, "appName": "desk", "serverName": "files", "toolName": "read_file", "allowed": True, "isResponse": True},
    ],
    "agent_governance": [{"timestamp": AT, "agent_id": "helper", "tool_name": "read_file", "parameters": {"path": "a"}, "allowed": False,
                          "reason": "path", "approval_status": "none"}],
    "agent_bom": [{"ts": AT, "type": "tools/call", "tool": "read_file", "agent_id": "helper", "tenant_id": "t", "policy": "blocked",
                   "event_relationships": {"targets": []}, "prev_hash": "a", "record_hash": "b"}],
    "agent_beacon": [{"timestamp": AT, "vendor": "v", "event": {"kind": "event", "action": "tool.invoked", "category": "tool"},
                      "harness": {"name": "claude-code"}, "session": {"id": "s1"}, "tool": {"name": "mcp__files__read_file", "command": "read a"}}],
    "mcp_audit": [{"id": "1", "timestamp": AT, "direction": "client→server", "transport": "stdio", "method": "tools/call", "tool_name": "read_file",
                   "duration_ms": 12, "client_id": "desk", "server_id": "files", "signature": "hmac-sha256:aa"}],
    "fastmcp_logging": [
        {"event": "request_start", "method": "tools/call", "source": "client", "payload_type": "CallToolRequestParams",
         "payload": '{"name": "read_file", "arguments": {"path": "aaaa...'},
        {"event": "request_error", "method": "tools/call", "source": "client", "duration_ms": 3.5, "error": "no such file"},
    ],
    "splunk_mcp": [{"timestamp": AT, "method": "tools/call", "direction": "inbound", "params.name": "read_file", "params.path": "a", "host": "h"}],
}


def body(lines: Lines) -> bytes:
    return b"".join((line if isinstance(line, str) else json.dumps(line)).encode() + b"\n" for line in lines)
