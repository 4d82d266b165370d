"""An agent of pydantic-ai with a scripted model: the framework and the MCP SDKs emit every span."""

from pydantic_ai import Agent as Framework
from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart, ToolCallPart, ToolReturnPart
from pydantic_ai.models.function import AgentInfo, FunctionModel
from pydantic_ai.models.instrumented import InstrumentationSettings

from sample_data.cast import Agent
from sample_data.connections import Connections
from sample_data.script import Script, Session, seeded_hex, seeded_uuid


class ScriptedModel:
    """Answers requests of the framework with the next step of a script."""

    def __init__(self, script: Script, *id_parts: object) -> None:
        self._script = script
        self._id_parts = id_parts
        self._asked = 0
        self.waits: dict[str, float] = {}

    def __call__(self, messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        """Send the last result to the script; what it yields is the next call, what it returns is the answer."""
        try:
            step = self._script.send(_last_result(messages)) if self._asked else next(self._script)
        except StopIteration as stop:
            return ModelResponse(parts=[TextPart(str(stop.value))])
        self._asked += 1
        call_id = f"call_{seeded_hex(24, *self._id_parts, self._asked)}"
        self.waits[call_id] = step.wait_s
        return ModelResponse(parts=[ToolCallPart(step.tool, step.arguments, tool_call_id=call_id)])


def _last_result(messages: list[ModelMessage]) -> str:
    for part in messages[-1].parts:
        if isinstance(part, ToolReturnPart):
            return part.model_response_str()
    return ""


async def play(agent: Agent, session: Session, seed: int, connections: Connections) -> dict[str, float]:
    """Play all turns of a session as one conversation; returns the pause before each call, by call id."""
    Framework.instrument_all(InstrumentationSettings(version=5))
    toolsets = [connections.toolset(server) for server in session.servers]
    conversation = seeded_uuid(seed, session.key)
    history: list[ModelMessage] = []
    waits: dict[str, float] = {}
    for number, turn in enumerate(session.turns):
        model = ScriptedModel(turn.script, seed, session.key, number)
        framework = Framework(
            FunctionModel(model, model_name=agent.model),
            name=agent.name,
            instructions=agent.instructions,
            toolsets=toolsets,
        )
        result = await framework.run(
            turn.prompt,
            message_history=history,
            conversation_id=conversation,
            run_id=seeded_uuid(seed, session.key, number),
        )
        history = result.all_messages()
        waits |= model.waits
    return waits
