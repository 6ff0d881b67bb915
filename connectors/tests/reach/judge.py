"""Judges a stand-in device by ncclient: judge.py PORT USER PASSWORD BASE. Says `judged`, or fails."""
import sys

from ncclient import manager
from ncclient.operations import RPCError
from ncclient.xml_ import to_ele

PORT, USER, PASSWORD, BASE = sys.argv[1:]
GROUP = """<config xmlns="urn:ietf:params:xml:ns:netconf:base:1.0"><configuration><groups><name>linesman-a</name>
<system><host-name>edge</host-name></system></groups></configuration></config>"""


def connect(name):
    return manager.connect(host="127.0.0.1", port=int(PORT), username=USER, password=PASSWORD, hostkey_verify=False,
                           allow_agent=False, look_for_keys=False, timeout=60, device_params={"name": name})


def refused(tag, act):
    """Whether something is refused with this tag."""
    try:
        act()
    except RPCError as error:
        assert error.tag == tag, (error.tag, tag)
        assert error.message, tag
    else:
        raise AssertionError(f"it is not refused: {tag}")


with connect("default") as device, connect("default") as other:
    assert f"urn:ietf:params:netconf:base:{BASE}" in device.server_capabilities
    assert device.session_id != other.session_id
    with device.locked("candidate"):
        refused("lock-denied", lambda: other.lock("candidate"))
        device.edit_config(GROUP, target="candidate")
        assert "edge" not in device.get_config("running").data_xml
        assert "edge" in device.get_config("candidate").data_xml
        device.validate("candidate")
        device.commit(confirmed=True, timeout="300", persist="act-1")
    refused("in-use", lambda: other.commit())
    other.commit(persist_id="act-1")
    assert "edge" in other.get_config("running").data_xml
    device.discard_changes()

# As it takes routers of this kind: without namespaces, with rpcs of their own.
with connect("junos") as device:
    answer = device.command("show version", format="text")
    assert "23.4R1.10 <&> \u00fc" in answer.xpath("//output")[0].text, answer
    facts = device.rpc(to_ele("<get-system-information/>"))
    assert facts.xpath("//serial-number")[0].text == "JN0001"
    refused("operation-not-supported", lambda: device.rpc(to_ele("<no-such-rpc/>")))
    device.load_configuration(action="set", config=["set groups linesman-b system host-name other"])
    difference = device.compare_configuration().xpath("//configuration-output")[0].text
    assert "+" in difference and "linesman-b" in difference, difference
    device.discard_changes()
print("judged")
