/** The machine this runs on: processors, memory, disks, network, processes, ports. Reads only. */

import { defineServer } from '../../kernel/define-server.ts';
import { healthTools } from './monitoring/health-tools.ts';
import { machineTools } from './monitoring/machine-tools.ts';
import { processTools } from './monitoring/process-tools.ts';

export default defineServer({
  name: 'system-monitoring',
  title: 'System Monitoring',
  description:
    'What this machine is doing: processors, memory, disks, network, processes and ports, measured now or over a minute, and judged by thresholds.',
  version: '1.0.0',
  category: 'system',
  port: 3401,
  instructions:
    'Start with health_check ("is it all right?") or system_overview ("what is it?"). Follow a finding with processes, disk_usage or cpu_usage; watch a trend with sample_metrics. Everything is read-only; secrets in command lines are masked and environments never shown.',
  tools: [...machineTools, ...processTools, ...healthTools],
  probe: { tool: 'memory_usage', arguments: {} },
});
